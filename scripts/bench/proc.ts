/** What the kernel tells of a process, from /proc. */

/** The kernel's clock tick; 100 per second on every Linux that Deno runs on. */
const TICK_MS = 10;

/** Resident set size, now and at its peak, in bytes. */
export async function readMemory(pid: number): Promise<{ rssBytes: number; peakBytes: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return { rssBytes: readKiB(status, "VmRSS"), peakBytes: readKiB(status, "VmHWM") };
}

/** A point in time of the whole machine and of this process with all its ended children. */
export interface CpuMark {
  atMs: number;
  busyMs: number;
  ownMs: number;
}

/** Marks now. */
export async function markCpu(): Promise<CpuMark> {
  const line = /^cpu +(.*)$/m.exec(await Deno.readTextFile("/proc/stat"))?.[1] ?? "";
  const [user = NaN, nice = NaN, system = NaN, , , , , steal = 0] = line.split(" ").map(Number);
  const own = statFields(await Deno.readTextFile("/proc/self/stat"));
  const ownTicks = own.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return {
    atMs: performance.now(),
    busyMs: (user + nice + system + steal) * TICK_MS,
    ownMs: ownTicks * TICK_MS,
  };
}

/**
 * How much CPU others used between two marks, 100 for one core: what else ran on the machine. All
 * children of the time between must have ended.
 */
export function otherCpuPercent(from: CpuMark, to: CpuMark): number {
  const otherMs = to.busyMs - from.busyMs - (to.ownMs - from.ownMs);
  return Math.max(0, otherMs / (to.atMs - from.atMs)) * 100;
}

/** CPU time in user and kernel mode since the start, of all threads, in ms; NaN of an ended process. */
export async function readCpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  if (stat === undefined) return NaN;
  const fields = statFields(stat);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The fields behind the command name, which may hold anything. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readKiB(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status);
  if (found === null) throw new Error(`Cannot read process status: no ${name}`);
  return Number(found[1]) * 1024;
}
