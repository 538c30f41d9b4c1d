/** JSON Schema 2020-12, as far as the API's document uses it; an unknown keyword is a fault. */

type Json = Readonly<Record<string, unknown>>;

const ANNOTATIONS = new Set(["description", "default", "examples", "title"]);

/** Everything that is wrong with a value; `document` is where references lead. */
export function schemaFaults(
  value: unknown,
  schema: Json,
  { at = "$", document = {} }: { at?: string; document?: Json } = {},
): string[] {
  const faults: string[] = [];
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    faults.push(...keywordFaults(value, { keyword, wanted, schema, at, document }));
  }
  return faults;
}

function keywordFaults(
  value: unknown,
  { keyword, wanted, schema, at, document }: {
    keyword: string;
    wanted: unknown;
    schema: Json;
    at: string;
    document: Json;
  },
): string[] {
  const isText = typeof value === "string";
  const isNumber = typeof value === "number";
  function unless(holds: boolean): string[] {
    return holds ? [] : [`${at}: ${JSON.stringify(value)} has not ${keyword} ${wanted}`];
  }
  switch (keyword) {
    case "$ref": {
      const path = String(wanted).slice(2).split("/");
      const target = path.reduce<unknown>((json, name) => (json as Json)[name], document) as Json;
      return schemaFaults(value, target, { at, document });
    }
    case "type":
      return unless([wanted].flat().some((type) => isOfType(value, String(type))));
    case "enum":
      return unless((wanted as unknown[]).includes(value));
    case "anyOf": {
      const all = (wanted as Json[]).map((one) => schemaFaults(value, one, { at, document }));
      return all.some((faults) => faults.length === 0) ? [] : all.flat();
    }
    case "pattern":
      return unless(!isText || new RegExp(String(wanted), "u").test(value));
    case "minLength":
      return unless(!isText || value.length >= Number(wanted));
    case "maxLength":
      return unless(!isText || value.length <= Number(wanted));
    case "minimum":
      return unless(!isNumber || value >= Number(wanted));
    case "maximum":
      return unless(!isNumber || value <= Number(wanted));
    case "maxItems":
      return unless(!Array.isArray(value) || value.length <= Number(wanted));
    case "format":
      return wanted === "date-time"
        ? unless(!isText || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value))
        : [`${at}: format ${wanted} is not known`];
    case "items":
      return !Array.isArray(value)
        ? []
        : value.flatMap((item, index) =>
          schemaFaults(item, wanted as Json, { at: `${at}[${index}]`, document })
        );
    case "required":
      return !isRecord(value) ? [] : (wanted as string[])
        .filter((name) => !Object.hasOwn(value, name))
        .map((name) => `${at}.${name}: is missing`);
    case "properties":
      return !isRecord(value)
        ? []
        : Object.entries(wanted as Json).flatMap(([name, one]) =>
          Object.hasOwn(value, name)
            ? schemaFaults(value[name], one as Json, { at: `${at}.${name}`, document })
            : []
        );
    case "additionalProperties":
      return !isRecord(value) ? [] : Object.keys(value)
        .filter((name) => !Object.hasOwn(schema["properties"] ?? {}, name))
        .flatMap((name) =>
          wanted === true
            ? []
            : wanted === false
            ? [`${at}.${name}: is not in the schema`]
            : schemaFaults(value[name], wanted as Json, { at: `${at}.${name}`, document })
        );
    default:
      return [`${at}: keyword ${keyword} is not known`];
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    default:
      // deno-lint-ignore valid-typeof -- string, number and boolean are called alike in both worlds
      return typeof value === type;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
