/**
 * The audit trail of a running broker: what the rooms tell becomes entries of the audit log. What
 * somebody can cause at will is sampled, so that neither the disk nor what is kept of the past is at
 * his mercy; of the rest every entry is written.
 */
import {
  type AuditEntry,
  AuditLog,
  AuditSampler,
  type ChainPoint,
  DirectoryAuditStorage,
  shortenEntry,
} from "./security/mod.ts";
import { createHash } from "node:crypto";
import { DataDirectory } from "./system/mod.ts";
import type { AuditConfig, Config } from "./config/mod.ts";

/** What the trail needs of the server. */
export interface AuditSurroundings {
  readonly dataDir: string;
  readonly version: string;
  /** Writes to the log. */
  readonly say: (level: "info" | "warn" | "error", text: string) => void;
}

/** Kinds of entries of which only some are written. */
const SAMPLED_KINDS = [
  "refusals",
  "logins",
  "lock-outs",
  "denials",
  "storms",
  "admin",
  "connections",
] as const;

/** One of them. */
export type SampledKind = typeof SAMPLED_KINDS[number];

type SampledEvent =
  | "connected"
  | "closed"
  | "refused"
  | "lock-out"
  | "take-over"
  | "take-over-storm"
  | "acl-denied"
  | "sparkplug-refused"
  | "admin";

/** An entry that can say how many before it were left out. */
export type SampledEntry = Extract<
  AuditEntry,
  { readonly event: SampledEvent }
>;

/** Figures for `$SYS`. */
export interface AuditFacts {
  readonly entries: number;
  readonly waiting: number;
  readonly lost: number;
}

/** Keys that are remembered, at 500 bytes: of attackers, and of clients. */
const ATTACKS_MAX = 1_024;
const CLIENTS_MAX = 4_096;
const MINUTE_MS = 60_000;
/** Connections are bounded for each client, not for all together. */
const CONNECTIONS_PER_SECOND_MAX = 100_000;
/** Characters of a client's text in the key of a sample. */
const KEY_TEXT_MAX = 64;
const DIRECTORY = "audit";

/** Takes what is to be recorded; never blocks, never throws. Without a log it takes nothing. */
export class AuditTrail {
  readonly #config: AuditConfig;
  readonly #version: string;
  readonly #say: AuditSurroundings["say"];
  readonly #samplers: Readonly<Record<SampledKind, AuditSampler<SampledEntry>>>;
  #log: AuditLog | null = null;
  #lock: DataDirectory | null = null;
  #trouble: string | null = null;
  /** Number of the last line that the log was told of. */
  #headTold = 0;
  #headToldMs = performance.now();
  #drainedMs = performance.now();
  /** Entries that never came to their sampler. */
  readonly #leftOut = new Map<SampledKind, number>();

  private constructor(config: AuditConfig, { version, say }: AuditSurroundings) {
    this.#config = config;
    this.#version = version;
    this.#say = say;
    const { perOriginMax: perKeyMax, perMinuteMax, connectionsPerClientMax } = config;
    const attacks = {
      perKeyMax,
      windowMs: MINUTE_MS,
      perSecondMax: perMinuteMax / 60,
      burstMax: perMinuteMax,
      keysMax: ATTACKS_MAX,
    };
    this.#samplers = {
      // Each its own, so that a flood of one kind hides none of another.
      "refusals": new AuditSampler(attacks),
      "logins": new AuditSampler(attacks),
      "lock-outs": new AuditSampler(attacks),
      "denials": new AuditSampler(attacks),
      "storms": new AuditSampler(attacks),
      "admin": new AuditSampler(attacks),
      "connections": new AuditSampler({
        perKeyMax: connectionsPerClientMax,
        windowMs: MINUTE_MS,
        perSecondMax: CONNECTIONS_PER_SECOND_MAX,
        keysMax: CLIENTS_MAX,
      }),
    };
  }

  /** Goes on with the log that is there, or begins one; gives the reason where that is not possible. */
  static async open(
    config: AuditConfig,
    surroundings: AuditSurroundings,
  ): Promise<AuditTrail | { problem: string }> {
    const { dataDir, version } = surroundings;
    const trail = new AuditTrail(config, surroundings);
    if (!config.enabled) return trail;
    const directory = config.dir === "" ? `${dataDir}/${DIRECTORY}` : config.dir;
    const { fileBytesMax, fileAgeMsMax, filesMax, flushMs, waitingBytesMax } = config;
    // That of the data directory does not hold for another one.
    const lock = config.dir === "" ? null : await DataDirectory.open(directory);
    if (lock !== null && "problem" in lock) {
      return { problem: `audit log in ${directory}: ${lock.problem}` };
    }
    trail.#lock = lock;
    try {
      const storage = await DirectoryAuditStorage.open(directory);
      trail.#log = await AuditLog.open(storage, {
        limits: { fileBytesMax, fileAgeMsMax, filesMax, flushMs, queueBytesMax: waitingBytesMax },
        wallMs: Date.now,
        version,
        onRotated: (file, last) => trail.#tellHead(last, ` file=${file}`),
      });
    } catch (error) {
      lock?.close();
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `audit log in ${directory}: ${reason}` };
    }
    return trail;
  }

  /** Figures; null without a log. */
  get facts(): AuditFacts | null {
    if (this.#log === null) return null;
    const { waiting, lost } = this.#log.statistics;
    return { entries: this.#log.head.seq, waiting, lost };
  }

  /** The broker serves. */
  started(config: Config): void {
    const text = JSON.stringify(config);
    this.record({
      event: "started",
      version: this.#version,
      config_sha256: createHash("sha256").update(text).digest("hex"),
      listeners: config.listeners.map(({ address }) => address).join(" "),
    });
  }

  /** Records an entry that nobody can cause at will. */
  record(entry: AuditEntry): void {
    this.#log?.record(entry, Date.now());
  }

  /**
   * Records an entry unless there were many of its kind from its origin of late. `origin` says in
   * few characters who causes it, and how; see `sampleKey`.
   */
  sample(kind: SampledKind, origin: string, entry: SampledEntry): void {
    if (this.#log === null) return;
    // A sample may stay for long: what it holds is as short as what is written.
    const short = shortenEntry(entry);
    const suppressed = this.#samplers[kind].admit(origin, short, performance.now());
    if (suppressed !== null) this.#write(short, suppressed);
  }

  /** Counts entries of a kind for which there was no room where they came from. */
  leftOut(kind: SampledKind, count: number): void {
    if (count > 0) this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + count);
  }

  /** Time passed: tells of the head now and then, and whether the disk takes what is written. */
  tick(nowMs: number): void {
    const log = this.#log;
    if (log === null) return;
    // Seldom: the counts themselves must not be the flood.
    if (nowMs - this.#drainedMs >= MINUTE_MS) {
      this.#drainedMs = nowMs;
      for (const kind of SAMPLED_KINDS) this.#drain(kind, nowMs);
    }
    if (log.trouble !== this.#trouble) {
      this.#trouble = log.trouble;
      if (log.trouble === null) this.#say("warn", "audit log recovered: entries are written again");
      else this.#say("error", `audit log in trouble: entries wait: ${log.trouble}`);
    }
    if (nowMs - this.#headToldMs >= this.#config.headIntervalMs) this.#tellHead(log.head);
  }

  /** Writes what waits and ends the log. */
  async close(reason: string): Promise<void> {
    const log = this.#log;
    if (log === null) return;
    const allOverMs = performance.now() + MINUTE_MS;
    for (const kind of SAMPLED_KINDS) this.#drain(kind, allOverMs);
    this.#log = null;
    const inTime = await log.close(reason);
    if (inTime) this.#lock?.close(); // else it ends with the process, and so does what still writes
    else this.#say("error", "audit log: the disk does not answer, the last entries may be lost");
    this.#tellHead(log.head);
  }

  #write(entry: SampledEntry, suppressed: number): void {
    this.record(suppressed === 0 ? entry : { ...entry, suppressed });
  }

  /** Writes the counts that no entry has come to carry. */
  #drain(kind: SampledKind, nowMs: number): void {
    const { items, others } = this.#samplers[kind].drain(nowMs);
    // The item is itself one of those that were left out.
    for (const { item, suppressed } of items) this.#write(item, suppressed - 1);
    const count = others + (this.#leftOut.get(kind) ?? 0);
    this.#leftOut.delete(kind);
    if (count > 0) this.record({ event: "entries-suppressed", of: kind, count });
  }

  /** Whoever keeps the log elsewhere can see by it that lines are missing at the end. */
  #tellHead({ seq, hash }: ChainPoint, where = ""): void {
    this.#headToldMs = performance.now();
    if (seq === this.#headTold) return;
    this.#headTold = seq;
    this.#say("info", `audit head: seq=${seq} sha256=${hash}${where}`);
  }
}

/** Who causes an entry, and how, as the key of a sample. */
export function sampleKey(how: string, remoteAddress: string, clientIdentifier: string): string {
  return `${how} ${hostOf(remoteAddress)} ${clientIdentifier.slice(0, KEY_TEXT_MAX)}`;
}

/** An address without its port. */
export function hostOf(remoteAddress: string): string {
  return remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
}
