/**
 * The audit log: entries go into a bounded queue and are written behind the back of the traffic.
 *
 * What is promised: a flush writes its lines, waits for fsync, and only then moves the head on and
 * waits for its fsync; so what the head names is on the disk. A power cut loses at most the entries
 * of the last `flushMs` and of one flush. A disk that is full or fails never blocks anybody: entries
 * wait while they fit the queue, then they are counted, and the count is the first thing that is
 * written when there is room again.
 *
 * What is not: whoever may write the files can write all of them anew, from any line to a new head.
 * The chain proves changes only against a head that he cannot reach: log `head` to another machine
 * from time to time.
 */
import { type AuditEntry, formatAuditBody } from "./audit_entry.ts";
import {
  AUDIT_FILE,
  chainLine,
  type ChainPoint,
  formatHeadSlot,
  parseHead,
  readChainLine,
  rotatedName,
} from "./audit_chain.ts";
import { AuditQueue, lineBytes } from "./_audit_queue.ts";
import { continueAuditLog } from "./audit_recovery.ts";
import type { AuditStorage } from "./audit_storage.ts";

/** How much is kept, and how soon it is written. */
export interface AuditLogLimits {
  /** An entry waits no longer than this for its flush. It bounds the fsyncs, too: two for each. */
  readonly flushMs: number;
  /** Bytes that may wait while the disk does not keep up. */
  readonly queueBytesMax: number;
  /** A file that would grow beyond this, or is older than that, is followed by another. */
  readonly fileBytesMax: number;
  readonly fileAgeMsMax: number;
  /** Files that are kept, the one that grows included. */
  readonly filesMax: number;
}

/** What the log needs beside its storage. */
export interface AuditLogOptions {
  readonly limits: AuditLogLimits;
  /** Wall clock, in ms since 1970. */
  readonly wallMs: () => number;
  /** Version of the broker, for the first entry. */
  readonly version: string;
  /** Told of each file that was followed by another, with the last line in it. */
  readonly onRotated?: (file: string, last: ChainPoint) => void;
}

/** Bytes that are hashed in one go: about 1 ms in which nothing else happens. */
const SLICE_BYTES = 32_768;
/** Bytes that are written between two calls of fsync. */
const FLUSH_BYTES_MAX = 262_144;
/** Bytes at the end of the log that are looked at: nearly always enough, and many flushes. */
const TAIL_BYTES_MIN = 65_536;
const TAIL_BYTES_MAX = 1_048_576;
/** Pauses between attempts while the disk refuses. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
/** How long the end of the log waits for the disk. */
const CLOSE_MS = 2_000;

/** A log that is open. One process at a time may write it: the lock of the data directory sees to it. */
export class AuditLog {
  readonly #storage: AuditStorage;
  readonly #options: AuditLogOptions;
  readonly #queue: AuditQueue;
  readonly #encoder = new TextEncoder();
  /** The last line on the disk. */
  #point: ChainPoint;
  /** What the head names, and in which slot it is. */
  #sealed: number;
  #slot: number;
  /** Size of the file that grows; null while it has to be opened. */
  #size: number | null = null;
  #firstSeq = 0;
  /** What the first line of a new file has to say, until it is written. */
  #continued: string | null = null;
  #fileSinceMs = 0;
  #flushing: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retryMs = RETRY_MS_MIN;
  /** Whether the next flush has been put forward already. */
  #hurried = false;
  #closed = false;

  /** Why nothing can be written at the moment; null if it can. */
  trouble: string | null = null;

  private constructor(
    storage: AuditStorage,
    options: AuditLogOptions,
    at: { point: ChainPoint; sealed: number; slot: number },
  ) {
    this.#storage = storage;
    this.#options = options;
    this.#queue = new AuditQueue(options.limits.queueBytesMax);
    this.#point = at.point;
    this.#sealed = at.sealed;
    this.#slot = at.slot;
  }

  /**
   * Goes on with the chain that is there, or begins one. Rejects where the storage refuses: a
   * broker whose operator wants a record must not start without one. Rejects with RangeError for
   * limits that make no sense.
   */
  static async open(storage: AuditStorage, options: AuditLogOptions): Promise<AuditLog> {
    assertLimits(options.limits);
    try {
      return await AuditLog.#begin(storage, options);
    } catch (error) {
      storage.close();
      throw error;
    }
  }

  static async #begin(storage: AuditStorage, options: AuditLogOptions): Promise<AuditLog> {
    const written = await storage.readHead();
    const head = written === null ? null : parseHead(written);
    let tail = await readTail(storage, TAIL_BYTES_MIN);
    let continuation = continueAuditLog({ tail, head: head?.point ?? null });
    if (continuation.entries.some(({ event }) => event === "log-damaged")) {
      // Or the entry that the head names stands further ahead.
      tail = await readTail(storage, TAIL_BYTES_MAX);
      continuation = continueAuditLog({ tail, head: head?.point ?? null });
    }
    const { point, tornBytes, entries } = continuation;
    const slot = head?.slot ?? 1;
    const log = new AuditLog(storage, options, { point, sealed: head?.point.seq ?? -1, slot });
    // Before the first line: from then on a head that is missing has been taken away.
    if (head === null && tail.length === 0) await log.#seal();
    await log.#openActive();
    if (tornBytes > 0 && log.#size! > 0) {
      log.#size = Math.max(0, log.#size! - tornBytes);
      await storage.truncate(log.#size);
    }
    const nowMs = options.wallMs();
    for (const entry of entries) log.#queue.add(entry, nowMs);
    log.record({ event: "log-opened", version: options.version }, nowMs);
    await log.flush();
    return log;
  }

  /** The last line that is on the disk. */
  get head(): ChainPoint {
    return this.#point;
  }

  /** Entries that wait, and those that were lost since the start. */
  get statistics(): { readonly waiting: number; readonly lost: number } {
    return { waiting: this.#queue.length, lost: this.#queue.lostTotal };
  }

  /** Takes an entry; never blocks, never throws. */
  record(entry: AuditEntry, wallMs: number): void {
    this.#queue.add(entry, wallMs);
    if (this.#closed) return;
    const { flushMs, queueBytesMax } = this.#options.limits;
    // In a rush entries must not be lost for want of a flush.
    const urgent = this.trouble === null && !this.#hurried && this.#queue.bytes * 4 > queueBytesMax;
    if (urgent) {
      this.#hurried = true;
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#schedule(0);
    } else if (this.#timer === null) {
      this.#schedule(this.trouble === null ? flushMs : this.#retryMs);
    }
  }

  /** Writes what waits; resolves when it is on the disk, or the disk has refused. */
  async flush(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
    this.#flushing = this.#flush();
    await this.#flushing;
  }

  /**
   * Writes what waits and lets go of the files; at a disk that refuses it is lost. Gives false if the
   * disk has not answered in time: then the files are let go of when it does.
   */
  async close(reason: string, withinMs = CLOSE_MS): Promise<boolean> {
    if (this.#closed) return true;
    this.record({ event: "log-closed", reason }, this.#options.wallMs());
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const ended = this.flush().then(() => {
      this.#storage.close();
      return true;
    });
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), withinMs);
    const inTime = await Promise.race([ended, late]);
    clearTimeout(timer);
    return inTime;
  }

  #schedule(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, afterMs);
  }

  async #flush(): Promise<void> {
    this.#hurried = false;
    try {
      do {
        await this.#writeSome();
        this.#queue.recordLost(this.#options.wallMs());
      } while (this.#queue.length > 0);
      this.trouble = null;
      this.#retryMs = RETRY_MS_MIN;
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
      if (this.#timer === null && !this.#closed) this.#schedule(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    } finally {
      this.#flushing = null;
    }
  }

  async #writeSome(): Promise<void> {
    const { fileBytesMax } = this.#options.limits;
    const bodies = this.#queue.peek(Math.min(FLUSH_BYTES_MAX, fileBytesMax / 2));
    if (bodies.length > 0) {
      const bytes = bodies.reduce((sum, body) => sum + lineBytes(body), 0);
      await this.#rotateIfDue(bytes);
      await this.#append(bodies);
      this.#queue.drop(bodies.length);
    }
    if (this.#sealed !== this.#point.seq) await this.#seal();
  }

  /** Writes lines and waits for the disk; on a failure all is as if nothing had been tried. */
  async #append(bodies: readonly string[]): Promise<void> {
    if (this.#size === null) await this.#openActive();
    const size = this.#size!;
    try {
      const all = this.#continued === null ? bodies : [this.#continued, ...bodies];
      const end = await this.#writeLines(all, { offset: size, point: this.#point });
      await this.#storage.sync();
      this.#size = end.offset;
      this.#point = end.point;
    } catch (error) {
      // If this fails, too, the next attempt writes over the remains.
      await this.#storage.truncate(size).catch(() => {});
      throw error;
    }
    this.#continued = null;
  }

  /** Chains lines and writes them, slice by slice: others have their turn at each write. */
  async #writeLines(
    bodies: readonly string[],
    from: { offset: number; point: ChainPoint },
  ): Promise<{ offset: number; point: ChainPoint }> {
    let { offset, point } = from;
    let text = "";
    for (const [i, body] of bodies.entries()) {
      const next = chainLine(point, body);
      text += `${next.line}\n`;
      point = next.point;
      if (text.length < SLICE_BYTES && i < bodies.length - 1) continue;
      const bytes = this.#encoder.encode(text);
      await this.#storage.write(offset, bytes);
      offset += bytes.length;
      text = "";
    }
    return { offset, point };
  }

  async #seal(): Promise<void> {
    const slot = 1 - this.#slot;
    await this.#storage.writeHead(slot, formatHeadSlot(this.#point));
    this.#slot = slot;
    this.#sealed = this.#point.seq;
  }

  /** Opens the file that grows; a first line in a new one says where the chain comes from. */
  async #openActive(): Promise<void> {
    const size = await this.#storage.openActive();
    const start = await this.#storage.read(AUDIT_FILE, { offset: 0, length: 4096 });
    const end = start?.bytes.indexOf(0x0a) ?? -1;
    const link = end > 0 ? readChainLine(start!.bytes.subarray(0, end)) : null;
    this.#firstSeq = link?.seq ?? this.#point.seq + 1;
    const bornMs = Date.parse(String(link?.fields.time));
    this.#fileSinceMs = Number.isNaN(bornMs) ? this.#options.wallMs() : bornMs;
    this.#size = size;
  }

  async #rotateIfDue(bytes: number): Promise<void> {
    const { fileBytesMax, fileAgeMsMax } = this.#options.limits;
    if (this.#size === null || this.#size === 0) return;
    const nowMs = this.#options.wallMs();
    const full = this.#size + bytes > fileBytesMax;
    if (!full && nowMs - this.#fileSinceMs <= fileAgeMsMax) return;
    // What is renamed is named by the head: a file with a range in its name is whole.
    if (this.#sealed !== this.#point.seq) await this.#seal();
    const removed = await this.#removeOld();
    const file = rotatedName(this.#firstSeq, this.#point.seq);
    this.#size = null;
    await this.#storage.rotate(file);
    this.#continued = formatAuditBody({ event: "log-continued", file, removed }, nowMs);
    this.#options.onRotated?.(file, this.#point);
  }

  /** Makes room for one more; gives how many files that took. */
  async #removeOld(): Promise<number> {
    const names = await this.#storage.rotated();
    const old = names.slice(0, Math.max(0, names.length + 2 - this.#options.limits.filesMax));
    for (const name of old) await this.#storage.remove(name);
    return old.length;
  }
}

function assertLimits(limits: AuditLogLimits): void {
  const { flushMs, queueBytesMax, fileBytesMax, fileAgeMsMax, filesMax } = limits;
  const sound = flushMs >= 0 && queueBytesMax > 0 && fileBytesMax > 0 && fileAgeMsMax > 0 &&
    filesMax >= 2;
  if (!sound) throw new RangeError(`Cannot open audit log: limits ${JSON.stringify(limits)}`);
}

/** The end of the log from the start of a line on, of the file that grows and of the one before. */
async function readTail(storage: AuditStorage, length: number): Promise<Uint8Array> {
  const range = { offset: -length, length };
  const active = await storage.read(AUDIT_FILE, range);
  if (active !== null && active.size > length) return wholeLines(active);
  const newest = (await storage.rotated()).at(-1);
  const before = newest === undefined ? null : await storage.read(newest, range);
  const start = before === null ? new Uint8Array(0) : wholeLines(before);
  const end = active === null ? new Uint8Array(0) : active.bytes;
  const tail = new Uint8Array(start.length + end.length);
  tail.set(start);
  tail.set(end, start.length);
  return tail;
}

/** Without the line that the range cuts at its start. */
function wholeLines({ bytes, size }: { bytes: Uint8Array; size: number }): Uint8Array {
  return bytes.length === size ? bytes : bytes.subarray(bytes.indexOf(0x0a) + 1);
}
