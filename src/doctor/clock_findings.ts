/** Whether the wall clock can be right: gateways without a battery begin in 1970. */
import type { Config } from "../config/mod.ts";
import { type Finding, Findings } from "./finding.ts";

/** Nobody runs this before it was written. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Two clocks may differ by so much: files may come from another machine. */
const SLACK_MS = 86_400_000;

/** Findings about the clock, by the files that must be older than now. */
export async function clockFindings(
  { store }: Config,
  { configPath, nowMs }: { configPath: string | null; nowMs: number },
): Promise<readonly Finding[]> {
  const findings = new Findings("clock");
  const now = new Date(nowMs).toISOString().replace(/\.\d+/, "");
  const fix = "set the clock (NTP, or a battery): certificates and expiry depend on it";
  if (nowMs < EARLIEST_MS) findings.error(`it is ${now}: that cannot be`, fix);
  for (const path of [configPath ?? "", `${store.dataDir}/relayq.db`]) {
    if (path === "") continue;
    const changed = await Deno.stat(path).catch(() => null);
    const changedMs = changed?.mtime?.getTime() ?? 0;
    if (changedMs < nowMs + SLACK_MS) continue;
    const date = new Date(changedMs).toISOString().slice(0, 10);
    findings.warning(`it is ${now}, but ${path} was written on ${date}`, fix);
  }
  if (findings.all.length === 0) findings.ok(`it is ${now}, which can be`);
  return findings.all;
}
