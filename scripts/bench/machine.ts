/** Facts about the machine and the programs, to go with the figures. */

/** What a reader needs to know to compare figures of two runs. */
export interface MachineFacts {
  cpu: string;
  cores: number;
  memoryBytes: number;
  kernel: string;
  deno: string;
  mosquitto: string;
  loadAverage: number[];
  startedAt: string;
}

/** Reads the facts; what cannot be read is "unknown". */
export async function readMachineFacts(mosquitto: string): Promise<MachineFacts> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  return {
    cpu: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? "unknown",
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    mosquitto: await readVersion(mosquitto),
    loadAverage: Deno.loadavg(),
    startedAt: new Date().toISOString(),
  };
}

/** The facts in a line. */
export function describeMachine(facts: MachineFacts): string {
  const memory = `${(facts.memoryBytes / 1e9).toFixed(0)} GB`;
  const versions = `Linux ${facts.kernel}, Deno ${facts.deno}, Mosquitto ${facts.mosquitto}`;
  return `${facts.cpu}, ${facts.cores} cores, ${memory}, ${versions}`;
}

async function readVersion(program: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["-h"], stderr: "null" }).output();
    return /version (\S+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? "unknown";
  } catch {
    return "not installed";
  }
}
