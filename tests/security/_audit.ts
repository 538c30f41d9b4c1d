/** Audit logs to be verified. */
import {
  AUDIT_FILE,
  type AuditEntry,
  type AuditFinding,
  AuditLog,
  type AuditLogLimits,
  type AuditReport,
  type AuditStorage,
  AuditVerifier,
  CHAIN_START,
  chainLine,
  type ChainPoint,
  formatAuditBody,
  parseHead,
} from "../../src/security/mod.ts";
import type { MemoryAuditStorage } from "./_memory_audit_storage.ts";

/** Limits that no small test reaches. */
export const AUDIT_LIMITS: AuditLogLimits = {
  flushMs: 1_000_000,
  queueBytesMax: 100_000,
  fileBytesMax: 1_000_000,
  fileAgeMsMax: 1_000_000_000,
  filesMax: 1000,
};

/** Opens a log at a wall clock that a test can move. */
export function openLog(
  storage: AuditStorage,
  limits: Partial<AuditLogLimits> = {},
  clock: { wallMs: number } = { wallMs: 1_750_000_000_000 },
): Promise<AuditLog> {
  const wallMs = () => clock.wallMs;
  return AuditLog.open(storage, { limits: { ...AUDIT_LIMITS, ...limits }, wallMs, version: "1" });
}

/** Bytes of a file with these many entries, and the point that its head names. */
export function makeChain(count: number): { bytes: Uint8Array; lines: string[]; head: ChainPoint } {
  let point = CHAIN_START;
  const lines: string[] = [];
  for (let i = 1; i <= count; i++) {
    const entry = { event: "refused", reason: "locked-out", address: `10.0.0.${i}` } as const;
    const next = chainLine(point, formatAuditBody(entry, 1_750_000_000_000 + i));
    lines.push(next.line);
    point = next.point;
  }
  const text = lines.map((line) => `${line}\n`).join("");
  return { bytes: new TextEncoder().encode(text), lines, head: point };
}

/** Verifies one file. */
export function verifyBytes(
  bytes: Uint8Array,
  head: ChainPoint | null,
  chunk = bytes.length,
): AuditReport {
  const verifier = new AuditVerifier(head);
  verifier.open("f");
  for (let at = 0; at < bytes.length; at += Math.max(1, chunk)) {
    verifier.push(bytes.subarray(at, at + chunk));
  }
  verifier.close();
  return verifier.finish({ headAfter: head });
}

/** Verifies all files of a log in memory. */
export async function verifyStorage(storage: MemoryAuditStorage): Promise<AuditReport> {
  const head = parseHead(storage.head)?.point ?? null;
  const verifier = new AuditVerifier(head);
  for (const name of [...await storage.rotated(), AUDIT_FILE]) {
    verifier.open(name);
    verifier.push(storage.files.get(name) ?? new Uint8Array(0));
    verifier.close();
  }
  return verifier.finish({ headAfter: head });
}

/** Every line of all files, parsed. */
export async function entriesOf(storage: MemoryAuditStorage): Promise<Record<string, unknown>[]> {
  const names = [...await storage.rotated(), AUDIT_FILE];
  return names.flatMap((name) =>
    new TextDecoder().decode(storage.files.get(name)).split("\n").slice(0, -1)
      .map((line) => JSON.parse(line))
  );
}

/** Findings in short. */
export function kinds(findings: readonly AuditFinding[]): string[] {
  return findings.map(({ kind, line }) => `${kind} ${line}`);
}

/** When the entries are written. */
export const NOW_MS = 1_750_000_000_000;

/** One of many entries. */
export function entry(i: number): AuditEntry {
  return { event: "connected", client: `c${i}`, address: "10.0.0.1", listener: "l" };
}

/** Writes some entries, and waits for the disk. */
export async function write(log: AuditLog, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) log.record(entry(i), NOW_MS + i);
  await log.flush();
}

/** The clients of all entries. */
export async function clientsOf(storage: MemoryAuditStorage): Promise<string[]> {
  return (await entriesOf(storage)).flatMap(({ client }) =>
    client === undefined ? [] : [`${client}`]
  );
}
