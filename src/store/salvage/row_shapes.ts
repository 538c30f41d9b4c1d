/**
 * What rows of ours look like in a file: the one place that has to know a new table or column, so
 * that it can be rescued. A row is told by it even where nothing says to which table it belongs.
 */
import {
  asTopicFilter,
  asTopicName,
  decodeTopicName,
  decodeUtf8,
  PROTOCOL_LIMITS,
} from "../../mqtt/mod.ts";
import { Cursor, type TreeKind } from "./btree_page.ts";

/** A value as it is written again. */
export type Value = number | string | Uint8Array | null;

/** A column, and what its values can be. */
export interface ColumnShape {
  readonly name: string;
  /** `rowid`: INTEGER PRIMARY KEY, which the file keeps beside the row. */
  readonly kind: "rowid" | "integer" | "text" | "blob";
  readonly min?: number;
  readonly max?: number;
  readonly nullable?: boolean;
  readonly isValid?: (value: string | Uint8Array) => boolean;
  /** The value in rows that were written before the column was added. */
  readonly fallback?: Value;
}

/** The rows of a table, columns in the order of the file: those of the key first. */
export interface RowShape {
  readonly table: string;
  /** The name in the schema of what holds the rows; the table itself, or an index of it. */
  readonly root: string;
  /** `index` for WITHOUT ROWID. */
  readonly tree: TreeKind;
  readonly columns: readonly ColumnShape[];
}

/**
 * No counter of ours has come that far: a larger number is a damaged one, and would leave nothing to
 * count on with.
 */
const COUNTED_MAX = 2 ** 50;

const FLAG = { kind: "integer", min: 0, max: 1 } as const;
const QOS = { name: "qos", kind: "integer", min: 0, max: 2 } as const;
const COUNT = { kind: "integer", min: 0 } as const;
const KEY = { kind: "integer", min: 1, max: COUNTED_MAX } as const;
const SESSION = { name: "session", ...KEY } as const;
const TOPIC = { name: "topic", kind: "text", isValid: isTopicName } as const;
const RETAIN = { name: "retain", ...FLAG } as const;
const BODY = { name: "body", kind: "blob", isValid: isMessageBody } as const;
const PAYLOAD = { name: "payload", kind: "blob" } as const;

/**
 * All tables of ours, in the order in which they are rescued: where room is short, what comes first
 * is what everything else is worth nothing without.
 */
export const ROW_SHAPES: readonly RowShape[] = [
  table("session", [
    { name: "key", kind: "rowid" },
    { name: "client", kind: "text" },
    { name: "stored_since_ms", ...COUNT },
    { name: "owner", kind: "text", fallback: "" },
  ]),
  // The index says which client a key belongs to, should the row be lost.
  {
    table: "session",
    root: "sqlite_autoindex_session_1",
    tree: "index",
    columns: [{ name: "client", kind: "text" }, { name: "key", ...KEY }],
  },
  index("subscription", [
    SESSION,
    { name: "filter", kind: "text", isValid: isTopicFilter },
    QOS,
    { name: "replay", ...FLAG, fallback: 0 },
  ]),
  index("receiving", [SESSION, { name: "packet_id", ...KEY, max: 65_535 }]),
  table("retained", [TOPIC, QOS, PAYLOAD, { name: "at_s", ...COUNT, fallback: 0 }]),
  table("will", [
    { name: "client", kind: "text" },
    TOPIC,
    QOS,
    RETAIN,
    PAYLOAD,
    { name: "owner", kind: "text", nullable: true, fallback: null },
  ]),
  index("delivery", [
    SESSION,
    { name: "sequence", ...KEY },
    { name: "message", ...KEY },
    QOS,
    RETAIN,
    { name: "packet_id", ...COUNT, max: 65_535 },
    { name: "released", ...FLAG },
    { name: "sent", ...COUNT, max: COUNTED_MAX, fallback: 0 },
    { name: "queued_s", ...COUNT, fallback: 0 },
  ]),
  table("message", [
    { name: "id", kind: "rowid" },
    QOS,
    BODY,
  ]),
  table("publication", [{ name: "id", kind: "rowid" }, TOPIC, QOS, RETAIN, PAYLOAD]),
  table("clock", [
    { name: "one", kind: "rowid", max: 1 },
    { name: "age_ms", kind: "integer" },
    { name: "wall_ms", kind: "integer" },
  ]),
  table("edge_node", [
    { name: "edge_node", kind: "text" },
    { name: "bd_seq", kind: "integer", min: 0, max: 255 },
  ]),
  table("dead_letter", [
    { name: "id", kind: "rowid" },
    { name: "reason", kind: "text" },
    { name: "wall_ms", kind: "integer" },
    { name: "age_s", kind: "integer" },
    { name: "publisher", kind: "text" },
    { name: "session", kind: "text" },
    QOS,
    RETAIN,
    { name: "bytes", ...COUNT },
    BODY,
  ]),
];

function table(name: string, columns: readonly ColumnShape[]): RowShape {
  return { table: name, root: name, tree: "table", columns };
}

function index(name: string, columns: readonly ColumnShape[]): RowShape {
  return { table: name, root: name, tree: "index", columns };
}

function isTopicName(value: string | Uint8Array): boolean {
  return typeof value === "string" && typeof asTopicName(value) === "string";
}

function isTopicFilter(value: string | Uint8Array): boolean {
  return typeof value === "string" && typeof asTopicFilter(value) === "string";
}

/** Length of the Topic Name, Topic Name, payload. */
function isMessageBody(value: string | Uint8Array): boolean {
  return typeof value !== "string" && topicEnd(value) !== null;
}

/** Where the Topic Name of a message body ends; null if there is none. */
export function topicEnd(body: Uint8Array): number | null {
  const end = 2 + ((body[0] ?? 0) << 8) + (body[1] ?? 0);
  if (end > body.length) return null;
  const name = decodeTopicName(body, { start: 2, end }, PROTOCOL_LIMITS);
  return typeof name === "string" ? end : null;
}

/**
 * The values of a row, in the order of `shape`; null if it is no row of that shape. Columns that the
 * row does not have yet get their fallback.
 */
export function decodeRow(
  shape: RowShape,
  { payload, rowid }: { readonly payload: Uint8Array; readonly rowid: number },
): Value[] | null {
  const types = new Cursor(payload, 0);
  const headerBytes = types.varint();
  let at = headerBytes;
  const values: Value[] = [];
  for (const column of shape.columns) {
    if (types.at >= headerBytes) {
      if (column.fallback === undefined) return null;
      values.push(column.fallback);
      continue;
    }
    const type = types.varint();
    const length = valueBytes(type);
    if (types.at > headerBytes || at + length > payload.length) return null;
    const value = column.kind === "rowid"
      ? rowidOf(column, { type, rowid })
      : decodeValue(column, type, payload.subarray(at, at + length));
    if (value === undefined) return null;
    values.push(value);
    at += length;
  }
  return types.at === headerBytes && at === payload.length ? values : null;
}

function rowidOf(
  { max = COUNTED_MAX }: ColumnShape,
  { type, rowid }: { readonly type: number; readonly rowid: number },
): number | undefined {
  return type === 0 && rowid >= 1 && rowid <= max ? rowid : undefined;
}

/** Bytes of a value, by its serial type. */
function valueBytes(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type]!;
}

function decodeValue(column: ColumnShape, type: number, bytes: Uint8Array): Value | undefined {
  if (type === 0) return column.nullable === true ? null : undefined;
  if (column.kind === "integer") {
    const value = decodeInteger(type, bytes);
    const { min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = column;
    return value >= min && value <= max ? value : undefined;
  }
  if (type < 12 || (type % 2 === 1) !== (column.kind === "text")) return undefined;
  const value = column.kind === "text" ? decodeUtf8(bytes, 0, bytes.length) : bytes;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return undefined;
  return column.isValid === undefined || column.isValid(value) ? value : undefined;
}

/** NaN if it is none. */
function decodeInteger(type: number, bytes: Uint8Array): number {
  if (type === 8 || type === 9) return type - 8;
  if (type < 1 || type > 6) return NaN;
  let value = (bytes[0]! << 24) >> 24;
  for (let at = 1; at < bytes.length; at++) value = value * 256 + bytes[at]!;
  return value;
}
