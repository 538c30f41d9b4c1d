/** Where the chain of an audit log goes on that an earlier run has left. Pure. */
import type { AuditEntry } from "./audit_entry.ts";
import {
  CHAIN_START,
  type ChainLink,
  type ChainPoint,
  hashLine,
  readChainLine,
} from "./audit_chain.ts";

/** What was found in the directory. */
export interface AuditRemains {
  /** The end of the log, from the start of a line on; it may lie in two files. */
  readonly tail: Uint8Array;
  /** What the head file names; null if there is none. */
  readonly head: ChainPoint | null;
}

/** How to go on. */
export interface AuditContinuation {
  /** The entry behind which the chain goes on. */
  readonly point: ChainPoint;
  /** Bytes at the end that belong to no entry; they are to be cut off. */
  readonly tornBytes: number;
  /** What has to be recorded of it. */
  readonly entries: readonly AuditEntry[];
}

/** A whole line of the tail. */
interface Line {
  /** Offset of the byte behind its line end. */
  readonly end: number;
  readonly hash: string;
  readonly link: ChainLink | null;
}

const LINE_FEED = 0x0a;

/**
 * Puts in order what a crash may leave behind the entry that the head names: entries that it does
 * not name yet, and noise, for of what was not synced any part may be on the disk. Everything else
 * is damage: it is recorded, and the chain goes on behind the entry that the head names, so that
 * the gap stays visible for ever.
 */
export function continueAuditLog({ tail, head }: AuditRemains): AuditContinuation {
  const lines = splitLines(tail);
  const last = lines.at(-1);
  const found = last === undefined || last.link === null
    ? null
    : { seq: last.link.seq, hash: last.hash };
  const tornBytes = tail.length - (last?.end ?? 0);
  if (head === null) {
    const point = found ?? CHAIN_START;
    const problem = "there is no head";
    const entries = tail.length === 0 ? [] : [damage(problem, { head, found })];
    return { point, tornBytes, entries };
  }
  const at = lines.findIndex(({ link }) => link?.seq === head.seq);
  if (at < 0 && head.seq > 0) {
    const entries = [damage("the entry that the head names is not there", { head, found })];
    return { point: head, tornBytes, entries };
  }
  if (at >= 0 && lines[at]!.hash !== head.hash) {
    const entries = [damage("the entry that the head names is another", { head, found })];
    return { point: head, tornBytes, entries };
  }
  const { point, end } = walk(lines.slice(at + 1), { point: head, end: lines[at]?.end ?? 0 });
  return {
    point,
    tornBytes: tail.length - end,
    entries: recovery(point.seq - head.seq, tail.subarray(end)),
  };
}

/** Follows the chain as far as it goes. */
function walk(
  lines: readonly Line[],
  from: { point: ChainPoint; end: number },
): { point: ChainPoint; end: number } {
  let { point, end } = from;
  for (const line of lines) {
    if (line.link?.seq !== point.seq + 1 || line.link.prev !== point.hash) break;
    point = { seq: line.link.seq, hash: line.hash };
    end = line.end;
  }
  return { point, end };
}

function recovery(unsealed: number, torn: Uint8Array): AuditEntry[] {
  if (unsealed === 0 && torn.length === 0) return [];
  const event = "log-recovered" as const;
  if (torn.length === 0) return [{ event, unsealed }];
  return [{ event, unsealed, torn_bytes: torn.length, torn_sha256: hashLine(torn) }];
}

function damage(
  problem: string,
  { head, found }: { head: ChainPoint | null; found: ChainPoint | null },
): AuditEntry {
  return {
    event: "log-damaged",
    problem,
    expected_seq: head?.seq,
    expected_hash: head?.hash,
    found_seq: found?.seq,
    found_hash: found?.hash,
  };
}

function splitLines(bytes: Uint8Array): Line[] {
  const lines: Line[] = [];
  for (let start = 0;;) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end < 0) return lines;
    const line = bytes.subarray(start, end);
    lines.push({ end: end + 1, hash: hashLine(line), link: readChainLine(line) });
    start = end + 1;
  }
}
