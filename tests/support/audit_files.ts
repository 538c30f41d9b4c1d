/** What a broker has written to its audit log. */
import { type ConfigChanges, TestBroker, type TestOptions } from "./test_broker.ts";
import { run } from "../cli/_running.ts";

/** One line. */
export type AuditLine = Readonly<Record<string, unknown>> & {
  readonly seq: number;
  readonly event: string;
};

/** Where a broker with this data directory keeps its audit log. */
export function auditDirectory(dataDir: string): string {
  return `${dataDir}/audit`;
}

/** Names of the files with lines, in their order. */
export async function auditFiles(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (name.endsWith(".jsonl")) names.push(name);
  }
  // "audit-…" stands before "audit.jsonl".
  return names.sort();
}

/** All lines of the log. */
export async function auditLines(directory: string): Promise<AuditLine[]> {
  const lines: AuditLine[] = [];
  for (const name of await auditFiles(directory)) {
    const text = await Deno.readTextFile(`${directory}/${name}`);
    for (const line of text.split("\n").slice(0, -1)) lines.push(JSON.parse(line));
  }
  return lines;
}

/** What `relayq audit verify` says, and its exit code. */
export async function verifyAudit(...paths: string[]): Promise<{ code: number; out: string }> {
  return await run(["audit", "verify", ...paths]);
}

/** Lets `use` work with a broker, ends it, and gives the lines that it wrote. */
export async function recorded(
  changes: ConfigChanges,
  use: (broker: TestBroker) => Promise<void>,
  options: TestOptions = {},
): Promise<AuditLine[]> {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const store = { ...changes.store, dataDir };
    const broker = await TestBroker.start({ ...changes, store }, { ...options, keepDataDir: true });
    try {
      await use(broker);
    } finally {
      await broker[Symbol.asyncDispose]();
    }
    const { code, out } = await verifyAudit(auditDirectory(dataDir));
    if (code !== 0) throw new Error(`Cannot verify what a broker wrote: ${out}`);
    return await auditLines(auditDirectory(dataDir));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Lines of some events, with only these fields. */
export function told(
  lines: readonly AuditLine[],
  events: readonly string[],
  fields: readonly string[],
): Record<string, unknown>[] {
  return lines.filter(({ event }) => events.includes(event)).map((line) =>
    Object.fromEntries(
      ["event", ...fields].flatMap((field) => field in line ? [[field, line[field]]] : []),
    )
  );
}
