/** The commands of `relayq ctl`, made of the routes of the API: one for each, under a handy name. */
import type { AnyDefinition, JsonSchema } from "../admin/mod.ts";
import type { OptionSchema, ParsedArguments } from "./_command.ts";
import type { CtlRequest } from "./_ctl_client.ts";
import { quote } from "./_format.ts";

/** What a command asks for. */
export interface CtlAction {
  readonly name: string;
  readonly definition: AnyDefinition;
  /** Words of the command line, in order, and the parameter that each stands for. */
  readonly words: readonly { readonly field: string; readonly shown: string }[];
  /** Columns of the table of a list; null for all. */
  readonly columns: readonly string[] | null;
  /** With a word, what this asks for instead. */
  readonly one: AnyDefinition | null;
}

/** What a route is called, where its path does not say it well. */
interface Handle {
  readonly name: string;
  readonly words?: readonly (readonly [field: string, shown: string])[];
  readonly columns?: readonly string[];
  /** The route that a word asks for instead. */
  readonly one?: string;
}

const API = "/api/v1/";
const HANDLES: Readonly<Record<string, Handle>> = {
  "GET clients": {
    name: "clients",
    columns: [
      ...["client_id", "user", "address", "transport", "connected_at", "queued_messages"],
      ...["in_flight", "messages_in", "bytes_in", "bytes_out"],
    ],
  },
  "GET clients/{client_id}": { name: "client" },
  "DELETE clients/{client_id}": { name: "disconnect" },
  "GET bans": { name: "bans", columns: ["id", "kind", "value", "until", "by", "reason"] },
  "POST bans": { name: "ban", words: [["kind", "KIND"], ["value", "VALUE"]] },
  "DELETE bans/{id}": { name: "unban" },
  "GET sessions": {
    name: "sessions",
    columns: [
      ...["client_id", "owner", "connected", "away_since", "expires_at", "subscriptions"],
      ...["queued_messages", "queued_bytes", "in_flight"],
    ],
  },
  "GET sessions/{client_id}": { name: "session" },
  "DELETE sessions/{client_id}": { name: "remove-session" },
  "GET retained": {
    name: "retained",
    words: [["topic", "[TOPIC]"]],
    one: "GET retained/{topic}",
    columns: ["topic", "qos", "payload_bytes", "payload_preview"],
  },
  "DELETE retained/{topic}": { name: "remove-retained" },
  "GET topics": { name: "topics", words: [["prefix", "[PREFIX]"]] },
  "GET dead-letters": {
    name: "dead-letters",
    words: [["id", "[ID]"]],
    one: "GET dead-letters/{id}",
    columns: [
      ...["id", "time", "reason", "qos", "payload_bytes", "session", "topic", "payload_preview"],
    ],
  },
  "POST dead-letters/replay": { name: "replay", words: [["ids", "[ID…]"]] },
  "DELETE dead-letters": { name: "purge", words: [["ids", "[ID…]"]] },
  "POST publish": { name: "publish", words: [["topic", "TOPIC"], ["payload", "[PAYLOAD]"]] },
  "DELETE sparkplug/certificates/{group}": { name: "remove-births-of-group" },
  "DELETE sparkplug/certificates/{group}/{node}": { name: "remove-births-of-node" },
  "DELETE sparkplug/certificates/{group}/{node}/{device}": { name: "remove-birth-of-device" },
  "GET health": { name: "health-parts" },
  "GET log": { name: "log", columns: ["time", "level", "room", "text"] },
  "PUT log/levels/{room}": { name: "log-level", words: [["room", "ROOM"], ["level", "LEVEL"]] },
};

/** The commands for routes that are answered with JSON, or with nothing. */
export function actionsOf(definitions: readonly AnyDefinition[]): readonly CtlAction[] {
  const byKey = new Map(definitions.map((definition) => [keyOf(definition), definition]));
  const taken = new Set(Object.values(HANDLES).map(({ one }) => one));
  return [...byKey].flatMap(([key, definition]) => {
    if (taken.has(key) || !definition.path.startsWith(API) || key === "GET openapi.json") return [];
    const hasOwnMedia = definition.answer === null && definition.media.length > 0;
    return hasOwnMedia ? [] : [actionOf(definition, byKey)];
  });
}

function actionOf(
  definition: AnyDefinition,
  byKey: ReadonlyMap<string, AnyDefinition>,
): CtlAction {
  const handle = HANDLES[keyOf(definition)];
  const words = handle?.words ?? parametersOf(definition).map((name) => [name, shownAs(name)]);
  return {
    name: handle?.name ?? nameOf(definition),
    definition,
    words: words.map(([field, shown]) => ({ field: field!, shown: shown! })),
    columns: handle?.columns ?? null,
    one: handle?.one === undefined ? null : byKey.get(handle.one) ?? null,
  };
}

/** Options of a command: whatever of its query and body is no word. */
export function optionsOf({ definition, words }: CtlAction): readonly OptionSchema[] {
  const named = new Set(words.map(({ field }) => field));
  return fieldsOf(definition).filter(({ name }) => !named.has(name)).map(({ name, json }) => ({
    name: name.replaceAll("_", "-"),
    doc: docOf(json),
    ...isFlag(json) ? {} : { value: valueName(name, json) },
  }));
}

/** Whether the answers are pages of a list. */
export function isList({ definition }: CtlAction): boolean {
  return Object.hasOwn(definition.query, "cursor");
}

/** The request that a command line stands for, or what is wrong with it. */
export function requestOf(
  action: CtlAction,
  { words, flags, values }: Pick<ParsedArguments, "words" | "flags" | "values">,
): CtlRequest | { readonly problem: string } {
  const isOne = action.one !== null && words.length > 0;
  const definition = isOne ? action.one! : action.definition;
  const texts = new Map<string, string>();
  action.words.forEach(({ field, shown }, index) => {
    const rest = words.slice(index);
    if (rest.length > 0) texts.set(field, shown.includes("…") ? rest.join(",") : rest[0]!);
  });
  let { path } = definition;
  for (const name of parametersOf(definition)) {
    const text = texts.get(name) ?? "";
    // No URL can have such a segment, however it is written.
    if (text === "." || text === "..") return { problem: `${name}: ${quote(text)} fits no URL` };
    const encoded = encodeURIComponent(text);
    path = path.replace(`{${name}}`, () => encoded);
  }
  const query: string[] = [];
  const body: Record<string, unknown> = {};
  for (const { name, json, isQuery, within } of fieldsOf(definition)) {
    const option = name.replaceAll("_", "-");
    const text = flags.has(option) ? "true" : values.get(option)?.[0] ?? texts.get(name);
    if (text === undefined) continue;
    if (isQuery) {
      query.push(`${name}=${encodeURIComponent(text)}`);
      continue;
    }
    const value = jsonOf(text, json);
    if (value === undefined) return { problem: `${name}: ${quote(text)} is not what it may be` };
    if (within === null) body[name] = value;
    else body[within] = { ...(body[within] as object | undefined), [name]: value };
  }
  const target = query.length === 0 ? path : `${path}?${query.join("&")}`;
  const { method } = definition;
  return definition.body === null ? { method, target } : { method, target, body };
}

/** A field of a query or a body. */
interface Field {
  readonly name: string;
  readonly json: JsonSchema;
  readonly isQuery: boolean;
  /** The object in the body that it stands in; null for the body itself. */
  readonly within: string | null;
}

/** Fields of query and body; those of an object in the body as if they stood beside it. */
function fieldsOf({ query, body }: AnyDefinition): readonly Field[] {
  const fields = Object.entries(query).map(([name, { json }]): Field => ({
    ...{ name, json, isQuery: true, within: null },
  }));
  for (const [name, json] of Object.entries(propertiesOf(body?.json ?? {}))) {
    const inner = Object.entries(propertiesOf(json));
    const about = { isQuery: false, within: inner.length === 0 ? null : name };
    if (inner.length === 0) fields.push({ name, json, ...about });
    for (const [below, schema] of inner) fields.push({ name: below, json: schema, ...about });
  }
  return fields;
}

/** The JSON value that a text stands for; undefined if there is none. */
function jsonOf(text: string, json: JsonSchema): unknown {
  const { type, items } = plain(json);
  if (text === "null" && isNullable(json)) return null;
  if (type === "integer" || type === "number") {
    return /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
  }
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  if (type !== "array") return text;
  const values = text.split(",").map((part) => jsonOf(part, items as JsonSchema));
  return values.includes(undefined) ? undefined : values;
}

/** True for what is false unless it is said. */
function isFlag(json: JsonSchema): boolean {
  return json["type"] === "boolean" && json["default"] === false;
}

function isNullable({ anyOf }: JsonSchema): boolean {
  return Array.isArray(anyOf) && anyOf.some(({ type }: JsonSchema) => type === "null");
}

/** A schema without the null beside it. */
function plain(json: JsonSchema): JsonSchema {
  const { anyOf } = json;
  if (!Array.isArray(anyOf)) return json;
  return anyOf.find(({ type }: JsonSchema) => type !== "null") ?? json;
}

function propertiesOf({ properties }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (properties ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function valueName(name: string, json: JsonSchema): string {
  const { type, enum: words } = plain(json);
  if (Array.isArray(words) && words.length <= 4) return words.join("|");
  if (type === "boolean") return "true|false";
  return type === "integer" || type === "number" ? "N" : shownAs(name).split("_").at(-1)!;
}

function docOf(json: JsonSchema): string {
  const { description, maximum, default: value } = { ...plain(json), ...json };
  const text = typeof description === "string" ? description : "";
  const most = typeof maximum === "number" && maximum <= 100_000 ? `at most ${maximum}` : "";
  const usual = value === undefined || value === false || value === "" ? "" : `${value} without it`;
  const bounds = [most, usual].filter((part) => part !== "").join(", ");
  return bounds === "" ? text : `${text}${text === "" ? "" : " "}(${bounds})`;
}

function parametersOf({ path }: AnyDefinition): readonly string[] {
  return [...path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1]!);
}

function keyOf({ method, path }: AnyDefinition): string {
  return `${method} ${path.startsWith(API) ? path.slice(API.length) : path}`;
}

/** Of the path: GET sparkplug/nodes/{group} is sparkplug-nodes, PUT a/b is set-a-b. */
function nameOf({ method, path }: AnyDefinition): string {
  const parts = path.slice(API.length).split("/").filter((part) => !part.startsWith("{"));
  const verbs: Readonly<Record<string, readonly string[]>> = { PUT: ["set"], DELETE: ["remove"] };
  return [...verbs[method] ?? [], ...parts].join("-").replaceAll("_", "-");
}

function shownAs(name: string): string {
  return name.toUpperCase();
}
