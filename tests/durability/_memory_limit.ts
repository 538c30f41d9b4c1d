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

/** Limits by a control group of its own; null where this user cannot make one. */
export function controlGroup(limitBytes: number): MemoryLimit | null {
  for (const { directory, file } of HIERARCHIES) {
    const group = `${directory}/relayq-test-${crypto.randomUUID()}`;
    try {
      Deno.mkdirSync(group);
    } catch {
      continue;
    }
    try {
      Deno.writeTextFileSync(`${group}/${file}`, `${limitBytes}`);
    } catch {
      Deno.removeSync(group);
      continue;
    }
    const script = `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`;
    return { wrapper: ["sh", "-c", script], remove: () => Deno.remove(group) };
  }
  return null;
}

/** Limits the heap of V8; possible everywhere. */
export function heapLimit(mebibytes: number): MemoryLimit {
  const variable = `DENO_V8_FLAGS=--max-old-space-size=${mebibytes}`;
  return { wrapper: ["env", variable], remove: () => Promise.resolve() };
}
