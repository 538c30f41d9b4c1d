/** Real limits on the memory of a broker in a process of its own. */

/** One way to limit a process. */
export interface MemoryLimit {
  /** What to start the broker by. */
  readonly wrapper: readonly string[];
  /** Takes the limit away, when the process has ended. */
  remove(): Promise<void>;
}

/** Where version 1 and version 2 of control groups have their memory controller, and its limit. */
const HIERARCHIES = [
  { directory: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes" },
  { directory: "/sys/fs/cgroup", file: "memory.max" },
];

/** Whether this user can make control groups with a limit. */
export function canMakeControlGroup(): boolean {
  const group = Deno.build.os === "linux" ? makeGroup(2 ** 30) : null;
  if (group !== null) removeGroup(group);
  return group !== null;
}

/** Limits by a control group of its own. */
export function controlGroup(limitBytes: number): MemoryLimit {
  const group = makeGroup(limitBytes);
  if (group === null) throw new Error("Cannot make control group: no right to");
  const script = `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`;
  return {
    wrapper: ["sh", "-c", script],
    remove: () => Promise.resolve(removeGroup(group)),
  };
}

function makeGroup(limitBytes: number): string | null {
  for (const { directory, file } of HIERARCHIES) {
    const group = `${directory}/relayq-test-${crypto.randomUUID()}`;
    const limit = `echo ${limitBytes} > ${group}/${file} || { rmdir ${group}; exit 1; }`;
    if (shell(`mkdir ${group} && { ${limit}; }`)) return group;
  }
  return null;
}

function removeGroup(group: string): void {
  shell(`rmdir ${group}`);
}

/** By a shell, because the runtime lets nobody write to /sys who has not all permissions. */
function shell(script: string): boolean {
  return new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).outputSync().success;
}

/** Limits the heap of V8; possible everywhere. */
export function heapLimit(mebibytes: number): MemoryLimit {
  const variable = `DENO_V8_FLAGS=--max-old-space-size=${mebibytes}`;
  return { wrapper: ["env", variable], remove: () => Promise.resolve() };
}
