/**
 * What requests and answers of the API look like. One object says it three times: to TypeScript as a
 * type, to a request as a check, and to the OpenAPI document as JSON Schema (2020-12).
 */

/** A fragment of JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The shape of a JSON value. */
export interface Schema<out T> {
  readonly json: JsonSchema;
  /** What stands for a field that is not there; without it the field has to be there. */
  readonly absent?: { readonly value: T };
  /** Takes a JSON value that is so; throws `UnfitValue` for any other. `at` is its place, for people. */
  take(value: unknown, at: string): T;
}

/** The shape of a value that a text can stand for, as it has to in a query. */
export interface ScalarSchema<out T> extends Schema<T> {
  /** The JSON value of a text; the text itself where it stands for nothing else. */
  ofText(text: string): unknown;
}

/** Fields by name. */
export type Fields = Readonly<Record<string, Schema<unknown>>>;
/** Fields that a query may hold. */
export type ScalarFields = Readonly<Record<string, ScalarSchema<unknown>>>;
/** The type of a schema's values. */
export type ValueOf<S> = S extends Schema<infer T> ? T : never;
/** The type of an object with these fields; those that may be left out are undefined then. */
export type ObjectOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** A value that is not as its schema wants it; the message says where and why. */
export class UnfitValue extends Error {}

/** Reads a value; gives what is wrong with it instead, if anything is. */
export function readValue<T>(
  schema: Schema<T>,
  value: unknown,
): { readonly value: T } | { readonly fault: string } {
  try {
    return { value: schema.take(value, "the body") };
  } catch (error) {
    if (error instanceof UnfitValue) return { fault: error.message };
    throw error;
  }
}

/** Reads texts by name as the fields of a query; unknown names are a fault. */
export function readTexts<F extends ScalarFields>(
  fields: F,
  texts: ReadonlyMap<string, string>,
): { readonly value: ObjectOf<F> } | { readonly fault: string } {
  const values = Object.fromEntries(
    Array.from(texts, ([name, text]) => [
      name,
      Object.hasOwn(fields, name) ? fields[name]!.ofText(text) : text,
    ]),
  );
  try {
    return { value: takeFields(fields, values, "") };
  } catch (error) {
    if (error instanceof UnfitValue) return { fault: error.message };
    throw error;
  }
}

/** What a text may be. */
export interface TextOptions {
  readonly lengthMin?: number;
  /** In UTF-16 code units. */
  readonly lengthMax?: number;
  /** Of all of it, as in JSON Schema: without ^ and $ only a part has to match. */
  readonly pattern?: string;
  /** As JSON Schema names them; not checked here. */
  readonly format?: string;
  readonly description?: string;
  readonly examples?: readonly string[];
}

/** A text. */
export function text(options: TextOptions = {}): ScalarSchema<string> {
  const { lengthMin = 0, lengthMax = Infinity, pattern, format, description, examples } = options;
  const regExp = pattern === undefined ? null : new RegExp(pattern, "u");
  return {
    json: described({
      type: "string",
      ...lengthMin === 0 ? {} : { minLength: lengthMin },
      ...lengthMax === Infinity ? {} : { maxLength: lengthMax },
      ...pattern === undefined ? {} : { pattern },
      ...format === undefined ? {} : { format },
      ...examples === undefined ? {} : { examples },
    }, description),
    ofText: (written) => written,
    take(value, at) {
      if (typeof value !== "string") throw unfit(at, "must be a text");
      // JSON can hold half a character; what becomes of it in UTF-8 is another text.
      if (!value.isWellFormed()) throw unfit(at, "must not have halves of surrogate pairs");
      if (value.length < lengthMin) throw unfit(at, `must have at least ${lengthMin} characters`);
      if (value.length > lengthMax) throw unfit(at, `must have at most ${lengthMax} characters`);
      if (regExp?.test(value) === false) throw unfit(at, `must match ${pattern}`);
      return value;
    },
  };
}

/** A moment, as RFC 3339 writes it. */
export function dateTime(description?: string): ScalarSchema<string> {
  return text({ format: "date-time", ...description === undefined ? {} : { description } });
}

/** A whole number between bounds, both included. JSON carries no larger ones safely. */
export function integer(
  { min = 0, max = Number.MAX_SAFE_INTEGER, description }: {
    min?: number;
    max?: number;
    description?: string;
  } = {},
): ScalarSchema<number> {
  return {
    json: described({ type: "integer", minimum: min, maximum: max }, description),
    ofText: (written) => /^-?[0-9]{1,16}$/.test(written) ? Number(written) : written,
    take(value, at) {
      if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max) {
        throw unfit(at, `must be a whole number from ${min} to ${max}`);
      }
      return Number(value);
    },
  };
}

/** A number. */
export function number(description?: string): ScalarSchema<number> {
  return {
    json: described({ type: "number" }, description),
    ofText: (written) => /^-?[0-9]+(?:\.[0-9]+)?$/.test(written) ? Number(written) : written,
    take(value, at) {
      if (typeof value !== "number" || !Number.isFinite(value)) throw unfit(at, "must be a number");
      return value;
    },
  };
}

/** A whole number that may be too large for JSON: its digits as a text. */
export function digits(description?: string): ScalarSchema<string> {
  return text({ pattern: "^-?[0-9]+$", ...description === undefined ? {} : { description } });
}

/** True or false. */
export function boolean(description?: string): ScalarSchema<boolean> {
  return {
    json: described({ type: "boolean" }, description),
    ofText: (written) => written === "true" ? true : written === "false" ? false : written,
    take(value, at) {
      if (typeof value !== "boolean") throw unfit(at, "must be true or false");
      return value;
    },
  };
}

/** One of these words. */
export function oneOf<const W extends readonly string[]>(
  words: W,
  description?: string,
): ScalarSchema<W[number]> {
  return {
    json: described({ type: "string", enum: words }, description),
    ofText: (written) => written,
    take(value, at) {
      const word = words.find((known) => known === value);
      if (word === undefined) throw unfit(at, `must be one of ${words.join(", ")}`);
      return word;
    },
  };
}

/** The same, or null. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    json: { anyOf: [schema.json, { type: "null" }] },
    take: (value, at) => value === null ? null : schema.take(value, at),
  };
}

/** A field that may be left out: undefined then. */
export function optional<T>(schema: ScalarSchema<T>): ScalarSchema<T | undefined>;
export function optional<T>(schema: Schema<T>): Schema<T | undefined>;
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return { ...schema, absent: { value: undefined } };
}

/** A field that may be left out: `value` then. */
export function withDefault<T>(schema: ScalarSchema<T>, value: T): ScalarSchema<T> {
  return { ...schema, json: { ...schema.json, default: value }, absent: { value } };
}

/** A list. */
export function list<T>(
  schema: Schema<T>,
  { itemsMax = Infinity, description }: { itemsMax?: number; description?: string } = {},
): Schema<readonly T[]> {
  const bound = itemsMax === Infinity ? {} : { maxItems: itemsMax };
  return {
    json: described({ type: "array", items: schema.json, ...bound }, description),
    take(value, at) {
      if (!Array.isArray(value)) throw unfit(at, "must be a list");
      if (value.length > itemsMax) throw unfit(at, `must have at most ${itemsMax} items`);
      return value.map((item, index) => schema.take(item, `${at}[${index}]`));
    },
  };
}

/** An object with these fields and no others. */
export function object<F extends Fields>(fields: F, description?: string): Schema<ObjectOf<F>> {
  const required = Object.keys(fields).filter((name) => fields[name]!.absent === undefined);
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, { json }]) => [name, json]),
  );
  return {
    json: described({
      type: "object",
      properties,
      ...required.length === 0 ? {} : { required },
      additionalProperties: false,
    }, description),
    take(value, at) {
      if (!isRecord(value)) throw unfit(at, "must be an object");
      return takeFields(fields, value, at);
    },
  };
}

/** An object whose names are not known beforehand. */
export function record<T>(
  schema: Schema<T>,
  description?: string,
): Schema<Readonly<Record<string, T>>> {
  return {
    json: described({ type: "object", additionalProperties: schema.json }, description),
    take(value, at) {
      if (!isRecord(value)) throw unfit(at, "must be an object");
      return Object.fromEntries(
        Object.entries(value).map(([name, field]) => [name, schema.take(field, `${at}.${name}`)]),
      );
    },
  };
}

/** Any JSON value at all. */
export function anything(description?: string): Schema<unknown> {
  return { json: described({}, description), take: (value) => value };
}

function takeFields<F extends Fields>(
  fields: F,
  values: Readonly<Record<string, unknown>>,
  at: string,
): ObjectOf<F> {
  const prefix = at === "" || at === "the body" ? "" : `${at}.`;
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(fields, name)) {
      const known = Object.keys(fields).join(", ") || "none";
      throw unfit(prefix + name.slice(0, 64), `is not known here; there are: ${known}`);
    }
  }
  const taken = Object.entries(fields).map(([name, schema]) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return [name, schema.take(value, prefix + name)];
    if (schema.absent === undefined) throw unfit(prefix + name, "is missing");
    return [name, schema.absent.value];
  });
  return Object.fromEntries(taken) as ObjectOf<F>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function described(json: JsonSchema, description: string | undefined): JsonSchema {
  return description === undefined ? json : { ...json, description };
}

function unfit(at: string, why: string): UnfitValue {
  return new UnfitValue(`${at} ${why}`);
}
