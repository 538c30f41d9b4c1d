/** Limits of the process and the machine. */
import type { Config } from "../config/mod.ts";
import { MemoryReader } from "../system/mod.ts";
import { type Finding, Findings } from "./finding.ts";

/** Besides connections: listeners, the store, log files, the runtime. */
const DESCRIPTORS_BESIDES = 64;
/** What the runtime and an idle broker take. */
const IDLE_BYTES = 100 * 1_048_576;

/** Findings about descriptors and memory. */
export function machineFindings(config: Config): readonly Finding[] {
  const findings = new Findings("machine");
  tellDescriptors(config, findings);
  tellMemory(config, findings);
  return findings.all;
}

/** No interface tells the limit without all permissions, but it can be tried. */
function tellDescriptors({ limits }: Config, findings: Findings): void {
  const wanted = limits.connectionsMax + DESCRIPTORS_BESIDES;
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < wanted) opened.push(Deno.openSync("/dev/null"));
    findings.ok(`file descriptors: enough for connections_max = ${limits.connectionsMax}`);
  } catch {
    const text = `file descriptors: ${opened.length} can be opened here, and connections_max = ` +
      `${limits.connectionsMax} needs ${wanted}`;
    findings.warning(text, `set LimitNOFILE=${wanted} in the unit file, or "ulimit -n ${wanted}"`);
  } finally {
    for (const file of opened) file.close();
  }
}

function tellMemory(config: Config, findings: Findings): void {
  const { memory, queue, limits, store } = config;
  const { limitBytes, limitSource } = new MemoryReader({ limitBytes: memory.limitBytes }).read();
  if (limitBytes === Infinity) return findings.note("memory: no limit is known");
  const mostBytes = IDLE_BYTES + queue.totalBytesMax + limits.retainedBytesMax +
    store.backlogBytesMax;
  const text = `memory: ${mib(limitBytes)} (${limitSource})`;
  if (!memory.enabled) {
    const fix = "without memory.enabled the system ends the broker when memory is short";
    return findings.warning(`${text}, and nobody guards it`, fix);
  }
  if (mostBytes > limitBytes) {
    findings.note(
      `${text}; queues and retained messages at their bounds take ${mib(mostBytes)}: ` +
        "the memory guard sheds before that",
    );
  } else findings.ok(`${text}, ${mib(mostBytes)} wanted at the bounds of the configuration`);
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576).toLocaleString("en-US")} MiB`;
}
