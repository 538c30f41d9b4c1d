/** What waits to be written to the audit log. */
import { Buffer } from "node:buffer";
import { type AuditEntry, formatAuditBody } from "./audit_entry.ts";

/** Bytes of a line besides its body, at most: number, hash, line end. */
const LINK_BYTES = 104;

/** Bytes of the line that an entry becomes, at most. */
export function lineBytes(body: string): number {
  return Buffer.byteLength(body) + LINK_BYTES;
}

/** Entries that wait to be written: bounded in bytes, and what does not fit is counted. */
export class AuditQueue {
  readonly #bytesMax: number;
  #bodies: string[] = [];
  #bytes = 0;
  #lost = 0;
  #lostFromMs = 0;
  #lostUntilMs = 0;

  /** Entries that did not fit, ever. */
  lostTotal = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Entries that wait. */
  get length(): number {
    return this.#bodies.length;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes an entry; made text at once, so that it holds on to nothing of a client's. */
  add(entry: AuditEntry, wallMs: number): void {
    if (this.#bytes >= this.#bytesMax) {
      if (this.#lost === 0) this.#lostFromMs = wallMs;
      this.#lostUntilMs = wallMs;
      this.#lost++;
      this.lostTotal++;
      return;
    }
    // In its place: behind all that was kept, in front of all that is kept from now on.
    this.recordLost(wallMs);
    this.#push(formatAuditBody(entry, wallMs));
  }

  /** Makes an entry of what was lost, as soon as there is room. */
  recordLost(wallMs: number): void {
    if (this.#lost === 0 || this.#bytes >= this.#bytesMax) return;
    this.#push(formatAuditBody({
      event: "entries-lost",
      count: this.#lost,
      from: new Date(this.#lostFromMs).toISOString(),
      until: new Date(this.#lostUntilMs).toISOString(),
    }, wallMs));
    this.#lost = 0;
  }

  /** The oldest entries, of some bytes in all; they stay until `drop`. */
  peek(bytesMax: number): readonly string[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#bodies.length && (count === 0 || bytes < bytesMax)) {
      bytes += lineBytes(this.#bodies[count++]!);
    }
    return this.#bodies.slice(0, count);
  }

  /** The oldest entries are written. */
  drop(count: number): void {
    for (const body of this.#bodies.splice(0, count)) this.#bytes -= lineBytes(body);
  }

  #push(body: string): void {
    this.#bodies.push(body);
    this.#bytes += lineBytes(body);
  }
}
