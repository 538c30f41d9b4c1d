/** Runs other programs, never for longer than they are given. */

/** What became of a program. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** It was ended because its time was over. */
  readonly late: boolean;
}

/** How a program is run. */
export interface RunOptions {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

/** Runs a program to its end, or to the end of its time. */
export async function run(
  command: string,
  { args, cwd, env = {}, limitMs }: RunOptions,
): Promise<Ran> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), limitMs);
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      ...(cwd === undefined ? {} : { cwd }),
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      signal: over.signal,
    }).output();
    const decoder = new TextDecoder();
    const texts = { out: decoder.decode(stdout), err: decoder.decode(stderr) };
    return { code, ...texts, late: over.signal.aborted };
  } finally {
    clearTimeout(timer);
  }
}

/** The same, for a program that must end well: throws what it said where it does not. */
export async function must(command: string, options: RunOptions): Promise<string> {
  const { code, out, err, late } = await run(command, options);
  const what = [command.split("/").at(-1), ...options.args.slice(0, 2)].join(" ");
  if (late) throw new Error(`Cannot run ${what}: not done after ${options.limitMs / 1000} s`);
  if (code !== 0) throw new Error(`Cannot run ${what}: exit code ${code}: ${err.trim()}`);
  return out;
}
