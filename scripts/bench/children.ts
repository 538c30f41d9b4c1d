/** Every child process of a run, so that none outlives it. */

const running = new Set<Deno.ChildProcess>();
const TERM_LIMIT_MS = 3_000;

/** Starts a process that `endAllChildren` will end; `cwd` and pipes as given. */
export function startChild(
  command: readonly string[],
  options: Omit<Deno.CommandOptions, "args">,
): Deno.ChildProcess {
  const [program, ...args] = command;
  if (program === undefined) throw new Error("Cannot start a process: empty command");
  const child = new Deno.Command(program, { ...options, args }).spawn();
  running.add(child);
  child.status.finally(() => running.delete(child));
  return child;
}

/** Ends one process by its own pid: SIGTERM, after three seconds SIGKILL. */
export async function endChild(child: Deno.ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  signal(child, "SIGTERM");
  const timer = setTimeout(() => signal(child, "SIGKILL"), TERM_LIMIT_MS);
  await child.status;
  clearTimeout(timer);
}

/** Ends every process that still runs. */
export async function endAllChildren(): Promise<void> {
  await Promise.all([...running].map(endChild));
}

/** Ends every process that still runs, at once and without waiting. */
export function killAllChildren(): void {
  for (const child of running) signal(child, "SIGKILL");
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It ended by itself in the meantime.
  }
}
