/**
 * What stands in the audit log. Every event has its fields, and no other is ever written: an object
 * that carries a secret besides cannot leak it, because there is no field for one.
 */
import { escapeControls } from "./_quote.ts";

/** Fields of every event, in the order in which they are written. */
export const AUDIT_FIELDS = {
  "connected": ["client", "user", "address", "listener", "resumed"],
  "refused": ["reason", "address", "listener", "client", "user", "suppressed"],
  "lock-out": ["address", "prefix", "seconds", "strikes"],
  "take-over": ["client", "user", "from", "to"],
  "take-over-storm": ["client", "addresses", "seconds"],
  "acl-denied": ["client", "user", "address", "action", "topic", "rule", "suppressed"],
  "admin": ["actor", "address", "action", "target", "result"],
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
  /** Refusals beyond what is written of them. */
  "entries-suppressed": ["count"],
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
  const body: Record<string, AuditValue> = {
    time: new Date(timeMs).toISOString(),
    event: entry.event,
  };
  const values = entry as unknown as Readonly<Record<string, AuditValue>>;
  for (const field of AUDIT_FIELDS[entry.event]) {
    const value = values[field];
    if (value !== undefined) body[field] = typeof value === "string" ? cut(value) : value;
  }
  return escapeControls(JSON.stringify(body)).slice(1, -1);
}

function cut(text: string): string {
  return text.length > AUDIT_TEXT_MAX ? `${text.slice(0, AUDIT_TEXT_MAX)}…` : text;
}
