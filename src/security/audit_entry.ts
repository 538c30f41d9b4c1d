/**
 * What stands in the audit log. Every event has its fields, and no other is ever written: an object
 * that carries a secret besides cannot leak it, because there is no field for one.
 */
import { escapeControls } from "./_quote.ts";

/** Fields of every event, in the order in which they are written. */
export const AUDIT_FIELDS = {
  /** A broker serves, or is about to end; the digest tells whether its configuration is another. */
  "started": ["version", "config_sha256", "listeners"],
  "stopping": ["reason"],
  /**
   * A client was let in. `user` was verified, `claimed` was not; `resumed` speaks of the Session,
   * `tls_resumed` of the TLS session; `certificate` is its SHA-256.
   */
  "connected": [
    "client",
    "user",
    "claimed",
    "address",
    "listener",
    "tls",
    "cipher",
    "tls_resumed",
    "certificate",
    "serial",
    "resumed",
    "suppressed",
  ],
  /** The end of a connection of a client that had been let in. */
  "closed": ["client", "user", "address", "listener", "cause", "problem", "suppressed"],
  "refused": ["reason", "address", "listener", "client", "user", "problem", "suppressed"],
  /** An address from which too many wrong passwords came. */
  "lock-out": ["address", "listener", "seconds", "suppressed"],
  /** A client that had been let in may not stay. */
  "revoked": ["client", "user", "address", "listener", "reason"],
  "take-over": ["client", "user", "from", "to", "suppressed"],
  "take-over-storm": ["client", "addresses", "seconds", "suppressed"],
  /** `count`: messages or filters of this kind, one after the other. */
  "acl-denied": ["client", "user", "address", "action", "topic", "rule", "count", "suppressed"],
  /** A CONNECT or message that a rule of Sparkplug does not let pass, and by which statements. */
  "sparkplug-refused": [
    "client",
    "user",
    "address",
    "action",
    "topic",
    "statements",
    "count",
    "suppressed",
  ],
  /** A request to the admin API that changed something, or was refused; `result`: its status. */
  "admin": ["actor", "address", "action", "target", "result", "suppressed"],
  "reload": ["what", "result", "problem"],
  "memory-stage": ["from", "to", "reason"],
  "store-quarantine": ["file", "reason"],
  /** The log itself: a broker opened it, or closed it. */
  "log-opened": ["version"],
  "log-closed": ["reason"],
  /** First line of a further file: the name of the one before, and how many old ones were removed. */
  "log-continued": ["file", "removed"],
  /** What a crash had left was put in order; the bytes of a line that was cut off are gone. */
  "log-recovered": ["unsealed", "torn_bytes", "torn_sha256"],
  /** The log is not what was written: entries are missing or were changed. */
  "log-damaged": ["problem", "expected_seq", "expected_hash", "found_seq", "found_hash"],
  /** Entries that did not fit while the disk was full or too slow. */
  "entries-lost": ["count", "from", "until"],
  /** Entries of a kind beyond what is written of it, with no other one to carry their count. */
  "entries-suppressed": ["of", "count"],
} as const;

/** Name of an event. */
export type AuditEvent = keyof typeof AUDIT_FIELDS;

/** What a field may hold; absent or undefined ones are not written. */
export type AuditValue = string | number | boolean | null | undefined;

/** One entry, without time, number and hash. */
export type AuditEntry = {
  readonly [E in AuditEvent]:
    & { readonly event: E }
    & { readonly [F in typeof AUDIT_FIELDS[E][number]]?: AuditValue };
}[AuditEvent];

/** Characters of one field that are written at most. */
export const AUDIT_TEXT_MAX = 256;

/**
 * The JSON of an entry between its number and the hash of the line before: `"time":…,"event":…` and
 * the fields. Control characters are escaped, long texts cut.
 */
export function formatAuditBody(entry: AuditEntry, timeMs: number): string {
  const values = entry as unknown as Readonly<Record<string, AuditValue>>;
  let body = `"time":"${isoTime(timeMs)}","event":"${entry.event}"`;
  for (const field of AUDIT_FIELDS[entry.event]) {
    const value = values[field];
    if (value !== undefined) body += `,"${field}":${formatValue(value)}`;
  }
  return body;
}

/** By hand, at a third of the cost of an object for `JSON.stringify`: a rush of clients pays this. */
function formatValue(value: Exclude<AuditValue, undefined>): string {
  if (typeof value !== "string") return JSON.stringify(value);
  if (value.length <= AUDIT_TEXT_MAX && PLAIN.test(value)) return `"${value}"`;
  return escapeControls(JSON.stringify(cut(value)));
}

/** Text that JSON leaves as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Many entries have the same time. */
let lastTimeMs = 0;
let lastTime = new Date(lastTimeMs).toISOString();

function isoTime(timeMs: number): string {
  if (timeMs !== lastTimeMs) {
    lastTime = new Date(timeMs).toISOString();
    lastTimeMs = timeMs;
  }
  return lastTime;
}

/** The same entry, without long texts of a client that would stay in memory as long as it does. */
export function shortenEntry<E extends AuditEntry>(entry: E): E {
  let short: Record<string, AuditValue> | null = null;
  const values = entry as unknown as Readonly<Record<string, AuditValue>>;
  for (const field of AUDIT_FIELDS[entry.event]) {
    const value = values[field];
    if (typeof value !== "string" || value.length <= AUDIT_TEXT_MAX) continue;
    short ??= { ...entry };
    // Parsed anew: a slice alone would hold on to the whole. One more than are written: it was cut.
    short[field] = JSON.parse(JSON.stringify(value.slice(0, AUDIT_TEXT_MAX + 1)));
  }
  return short === null ? entry : short as E;
}

function cut(text: string): string {
  return text.length > AUDIT_TEXT_MAX ? `${text.slice(0, AUDIT_TEXT_MAX)}…` : text;
}
