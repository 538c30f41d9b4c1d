/**
 * Targets side by side, each in a process of its own: one that hangs is found out, because it no
 * longer tells how far it is, and is ended.
 */

/** The option by which a process is asked to tell how far it is, as `progress INPUTS SEED`. */
export const PROGRESS_OPTION = "progress";
/** Silence that counts as a hang. */
const SILENCE_MS = 60_000;
/** How often all processes together are shown on the way. */
const SHOW_MS = 10_000;
const PROGRAM = new URL("./main.ts", import.meta.url).pathname;

/** What became of the process of a target. */
export interface ProcessReport {
  readonly name: string;
  readonly passed: boolean;
}

/** How to run them. */
export interface ProcessesOptions {
  /** Processes at the same time at most. */
  readonly jobs: number;
  /** Arguments for every process. */
  readonly args: readonly string[];
  /** Takes what the process of a target prints. */
  readonly print: (line: string, target: string) => void;
  /** Silence that counts as a hang; by default a minute. */
  readonly silenceMs?: number;
}

/** Runs targets by their names; a failure of one does not end the others. */
export async function runProcesses(
  names: readonly string[],
  options: ProcessesOptions,
): Promise<ProcessReport[]> {
  const waiting = [...names];
  const reports: ProcessReport[] = [];
  const places = new Map<string, string>();
  const show = setInterval(() => {
    const lines = [...places].map(([name, place]) => `${name} ${place}`);
    Deno.stderr.writeSync(new TextEncoder().encode(`${lines.join(", ")}\n`));
  }, SHOW_MS);
  async function work(): Promise<void> {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      reports.push({ name, passed: await runProcess(name, options, places) });
      places.delete(name);
    }
  }
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    clearInterval(show);
  }
  return reports;
}

/** Whether a target passed. `places` is kept up to date with how far it is. */
async function runProcess(
  name: string,
  { args, print, silenceMs = SILENCE_MS }: ProcessesOptions,
  places: Map<string, string>,
): Promise<boolean> {
  const child = new Deno.Command("deno", {
    args: [
      ...["run", "--quiet", "--frozen", "--no-prompt", "--no-check", "--allow-read", "--allow-env"],
      ...[PROGRAM, `--${PROGRESS_OPTION}`, "--target", name, ...args],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let seed = "none";
  let hangs = false;
  const reader = child.stdout.getReader();
  function end(): void {
    hangs = true;
    child.kill("SIGKILL");
    // Whoever else holds the pipe must not keep this process waiting.
    reader.cancel().catch(() => {});
  }
  let timer = setTimeout(end, silenceMs);
  try {
    for await (const line of linesOf(reader)) {
      clearTimeout(timer);
      timer = setTimeout(end, silenceMs);
      const told = /^progress (\d+) (\d+)$/.exec(line);
      if (told === null) print(line, name);
      else {
        places.set(name, told[1]!);
        seed = told[2]!;
      }
    }
    const { success, code } = await child.status;
    if (hangs) {
      print(`FAILED: target ${name} hangs, at seed ${seed} or within a second behind it`, name);
    } else if (!success) {
      print(`FAILED: target ${name} ended with ${code}`, name);
    }
    return success && !hangs;
  } finally {
    clearTimeout(timer);
  }
}

async function* linesOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
