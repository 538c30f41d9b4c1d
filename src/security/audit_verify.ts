/** Finds what is not as it was written in an audit log. Pure: bytes in, findings out. */
import {
  AUDIT_LINE_BYTES_MAX,
  CHAIN_START,
  type ChainLink,
  type ChainPoint,
  hashLine,
  readChainLine,
  rotatedRange,
} from "./audit_chain.ts";

/** What is wrong. */
export type AuditFindingKind =
  /** A line is no JSON, or lacks what every line has. */
  | "unreadable"
  /** A line does not have the hash that the next line, or the head, names. */
  | "edited"
  /** Numbers are left out: lines were removed. */
  | "gap"
  /** A number comes again, or too late: lines were put in or moved. */
  | "order"
  /** The last line has no end. */
  | "torn"
  /** The head names a line behind the last one: lines were removed at the end. */
  | "truncated"
  /** Lines stand behind the one that the head names: added by others, or a crash. */
  | "unsealed"
  /** The broker itself found, at a start, that the log was not as it had written it. */
  | "damaged"
  /** There is no head, so that what was removed at the end cannot be seen. */
  | "no-head";

/** One finding; or a note, of what the log itself tells. */
export interface AuditFinding {
  readonly file: string;
  /** From 1; 0 where it is not about one line. */
  readonly line: number;
  readonly kind: AuditFindingKind | "note";
  readonly text: string;
}

/** What verifying came to. */
export interface AuditReport {
  readonly entries: number;
  /** Number of the first entry; 0 if there is none. */
  readonly first: number;
  /** The last entry. */
  readonly last: ChainPoint;
  /** Empty if all is well. */
  readonly findings: readonly AuditFinding[];
  readonly notes: readonly AuditFinding[];
}

/** Findings that are kept; a file of noise has one in every line. */
const FINDINGS_MAX = 1000;
const LINE_FEED = 0x0a;

/** Reads the files of a log, oldest first. */
export class AuditVerifier {
  readonly #head: ChainPoint | null;
  readonly #findings: AuditFinding[] = [];
  readonly #notes: AuditFinding[] = [];
  #file = "";
  #line = 0;
  #entries = 0;
  #first = 0;
  #last: ChainPoint | null = null;
  /** The line before was found bad already: its hash proves nothing more. */
  #doubted = false;
  #rest: Uint8Array[] = [];
  #restBytes = 0;

  /** `head`: what the head file named before the files were read; null without one. */
  constructor(head: ChainPoint | null) {
    this.#head = head;
  }

  /** A file begins. */
  open(file: string): void {
    this.#file = file;
    this.#line = 0;
  }

  /** Bytes of the file, in pieces of any size. */
  push(bytes: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start);
      if (end < 0) break;
      this.#keep(bytes.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes.slice(start));
  }

  /** The file ends. */
  close(): void {
    const name = this.#file.slice(this.#file.lastIndexOf("/") + 1);
    const promised = rotatedRange(name)?.last ?? 0;
    if (this.#restBytes > 0) {
      this.#endLine();
      this.#find("torn", "the last line has no end");
    }
    const seq = this.#last?.seq ?? 0;
    if (promised > seq) {
      this.#line = 0;
      this.#find("truncated", `ends with entry ${seq}, not with ${promised} as its name says`);
    }
  }

  /** Number of the last entry read so far; 0 before the first. */
  get lastEntry(): number {
    return this.#last?.seq ?? 0;
  }

  /**
   * All files have been read. `headAfter` is what the head file names now: behind a broker that
   * runs, it may have moved on, and what it covers may be new.
   */
  finish({ headAfter }: { headAfter: ChainPoint | null }): AuditReport {
    const last = this.#last ?? CHAIN_START;
    const head = this.#head;
    this.#line = 0;
    if (head === null) {
      this.#find("no-head", `nothing tells whether entry ${last.seq} was the last one`);
    } else if (head.seq > last.seq) {
      this.#find("truncated", `the head names entry ${head.seq}, the last one here is ${last.seq}`);
    }
    const sealed = Math.max(head?.seq ?? 0, headAfter?.seq ?? 0);
    if (head !== null && last.seq > sealed) {
      this.#find("unsealed", `entries ${sealed + 1} to ${last.seq} stand behind the head`);
    }
    return {
      entries: this.#entries,
      first: this.#first,
      last,
      findings: this.#findings,
      notes: this.#notes,
    };
  }

  #keep(bytes: Uint8Array): void {
    this.#restBytes += bytes.length;
    // What is too long is counted, but not kept.
    if (this.#restBytes <= AUDIT_LINE_BYTES_MAX) this.#rest.push(bytes);
  }

  #endLine(): void {
    this.#line++;
    const tooLong = this.#restBytes > AUDIT_LINE_BYTES_MAX;
    const line = this.#rest.length === 1 ? this.#rest[0]! : joined(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    const link = tooLong ? null : readChainLine(line);
    const hash = hashLine(line);
    if (link === null) this.#unreadable(hash);
    else this.#check(link, hash);
  }

  #unreadable(hash: string): void {
    this.#find("unreadable", "is no line of an audit log");
    this.#last = { seq: (this.#last?.seq ?? 0) + 1, hash };
    this.#doubted = true;
  }

  #check(link: ChainLink, hash: string): void {
    const { seq, prev } = link;
    const last = this.#last;
    this.#entries++;
    if (this.#first === 0) this.#first = seq;
    if (last === null) this.#begin(link);
    else if (seq > last.seq + 1) {
      this.#find("gap", `entries ${last.seq + 1} to ${seq - 1} are missing`);
    } else if (seq <= last.seq) this.#find("order", `entry ${seq} stands behind entry ${last.seq}`);
    else if (prev !== last.hash && !this.#doubted) {
      this.#find("edited", `entry ${seq - 1} is not the one that entry ${seq} names`);
    }
    this.#doubted = false;
    this.#last = { seq, hash };
    if (seq === this.#head?.seq && hash !== this.#head.hash) {
      this.#find("edited", `entry ${seq} is not the one that the head names`);
    }
    this.#tell(link);
  }

  #begin({ seq, prev }: ChainLink): void {
    if (seq > 1) this.#note(`begins with entry ${seq}; those before it are not here`);
    else if (prev !== CHAIN_START.hash) this.#find("edited", "entry 1 names one before it");
  }

  /** What the log tells of itself. */
  #tell({ event, fields }: ChainLink): void {
    if (event === "entries-lost") {
      this.#note(`${fields.count} entries lost between ${fields.from} and ${fields.until}`);
    } else if (event === "log-recovered") {
      const torn = Number(fields.torn_bytes ?? 0);
      this.#note(`put in order behind a crash${torn > 0 ? `; ${torn} bytes were cut off` : ""}`);
    } else if (event === "log-damaged") {
      this.#find("damaged", `the broker found the log damaged: ${fields.problem}`);
    }
  }

  #note(text: string): void {
    if (this.#notes.length >= FINDINGS_MAX) return;
    this.#notes.push({ file: this.#file, line: this.#line, kind: "note", text });
  }

  #find(kind: AuditFindingKind, text: string): void {
    if (this.#findings.length >= FINDINGS_MAX) return;
    this.#findings.push({ file: this.#file, line: this.#line, kind, text });
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
