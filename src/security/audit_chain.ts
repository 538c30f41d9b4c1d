/**
 * The chain of the audit log: every line has a number and the SHA-256 of the line before, so that
 * no line can be changed, removed, put in or moved without a trace behind it. What is removed at the
 * end leaves none in the lines: for that there is the head, a small file that names the last line.
 */
import { createHash } from "node:crypto";

/** A line of the chain: the last one, if nothing is said. */
export interface ChainPoint {
  /** Number of the line, from 1; 0 before the first. */
  readonly seq: number;
  /** SHA-256 of its bytes without the line end, in hex. */
  readonly hash: string;
}

/** Before the first line. */
export const CHAIN_START: ChainPoint = { seq: 0, hash: "0".repeat(64) };

/** Longest line that is read. Those that are written are far shorter. */
export const AUDIT_LINE_BYTES_MAX = 65_536;

/** What a line says of its place in the chain. */
export interface ChainLink {
  readonly seq: number;
  readonly prev: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** SHA-256 in hex of the bytes of a line. */
export function hashLine(line: string | Uint8Array): string {
  return createHash("sha256").update(line).digest("hex");
}

/** The line behind a point of the chain, without its line end, and the point that it is. */
export function chainLine(
  { seq, hash }: ChainPoint,
  body: string,
): { readonly line: string; readonly point: ChainPoint } {
  const line = `{"seq":${seq + 1},${body},"prev":"${hash}"}`;
  return { line, point: { seq: seq + 1, hash: hashLine(line) } };
}

/** Reads a line without its line end; null if it is no line of an audit log. */
export function readChainLine(line: Uint8Array): ChainLink | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const fields = parsed as Record<string, unknown>;
  const { seq, prev, event, time } = fields;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return null;
  if (typeof prev !== "string" || !/^[0-9a-f]{64}$/.test(prev)) return null;
  if (typeof event !== "string" || typeof time !== "string") return null;
  return { seq, prev, event, fields };
}

/** Bytes of one slot of the head file; the slots are written in turn, so that one is always whole. */
export const HEAD_SLOT_BYTES = 99;

/** A slot of the head file: number, hash, and a sum by which a torn write is known. */
export function formatHeadSlot({ seq, hash }: ChainPoint): string {
  const number = String(seq).padStart(16, "0");
  return `${number} ${hash} ${headSum(number, hash)}\n`;
}

/** The newest point that the head file names, and in which slot; null if it names none. */
export function parseHead(
  text: string,
): { readonly point: ChainPoint; readonly slot: number } | null {
  let newest: { point: ChainPoint; slot: number } | null = null;
  for (const slot of [0, 1]) {
    const written = text.slice(slot * HEAD_SLOT_BYTES, (slot + 1) * HEAD_SLOT_BYTES);
    const match = /^([0-9]{16}) ([0-9a-f]{64}) ([0-9a-f]{16})\n$/.exec(written);
    if (match === null) continue;
    const [, number = "", hash = "", sum] = match;
    if (headSum(number, hash) !== sum) continue;
    const point = { seq: Number(number), hash };
    if (newest === null || point.seq > newest.point.seq) newest = { point, slot };
  }
  return newest;
}

function headSum(number: string, hash: string): string {
  return hashLine(`${number} ${hash}`).slice(0, 16);
}

/** The file that is written. */
export const AUDIT_FILE = "audit.jsonl";
/** The file that names its last line. */
export const AUDIT_HEAD_FILE = "audit.head";

/** The name that a file gets when it is full: its first and its last number. */
export function rotatedName(first: number, last: number): string {
  return `audit-${String(first).padStart(12, "0")}-${String(last).padStart(12, "0")}.jsonl`;
}

/** First and last number that the name of a file promises; null for other names. */
export function rotatedRange(
  name: string,
): { readonly first: number; readonly last: number } | null {
  const match = /^audit-([0-9]{12,})-([0-9]{12,})\.jsonl$/.exec(name);
  return match === null ? null : { first: Number(match[1]), last: Number(match[2]) };
}
