/** A runner in a process of its own: asked, waited for with patience, and ended when it hangs. */
import type { RunnerReply, RunnerRequest } from "./runner.ts";
import { TextLineStream } from "./text_lines.ts";

const START_LIMIT_MS = 120_000;

/** One process at a time; a new one after a hang. */
export class RunnerProcess {
  readonly #root: string;
  readonly #modules: readonly string[];
  readonly #loadAwake: number;
  #child: Deno.ChildProcess | null = null;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null = null;
  #replies: ReadableStreamDefaultReader<string> | null = null;
  #names: readonly string[] = [];
  #reachedByLoading: readonly number[] = [];

  /** `loadAwake`: the mutant that is awake while the modules are loaded. */
  constructor(
    { root, modules, loadAwake = -1 }: {
      root: string;
      modules: readonly string[];
      loadAwake?: number;
    },
  ) {
    this.#root = root;
    this.#modules = modules;
    this.#loadAwake = loadAwake;
  }

  /** The names of the tests, once it has been started. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The mutants that loading the modules reaches, once it has been started. */
  get reachedByLoading(): readonly number[] {
    return this.#reachedByLoading;
  }

  /** Starts a process. Throws if it does not get ready. */
  async start(): Promise<void> {
    const runner = `${this.#root}/scripts/mutation/runner.ts`;
    const config = ["--config", `${this.#root}/deno.json`, "--frozen", "--no-check"];
    const what = [`${this.#loadAwake}`, ...this.#modules];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-all", ...config, runner, ...what],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#replies = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const reply = await this.#next(START_LIMIT_MS);
    if (reply?.tell !== "ready") throw new Error("Cannot start runner: it says nothing");
    this.#names = reply.names;
    this.#reachedByLoading = reply.mutants;
  }

  /** Which mutants a test reaches, and how long it takes; null if it hangs. */
  async reach(test: number, limitMs: number) {
    await this.#ask({ ask: "reach", test });
    const reply = await this.#next(limitMs);
    if (reply?.tell === "reached") return reply;
    await this.#restart();
    return null;
  }

  /** The first test that notices a mutant, null if none does; `hung`: it did not end. */
  async notice(
    { mutant, tests, limitMs }: {
      mutant: number;
      tests: readonly number[];
      /** How long a test may take. */
      limitMs: (test: number) => number;
    },
  ): Promise<{ test: number | null; hung: boolean }> {
    await this.#ask({ ask: "notice", mutant, tests });
    let running = tests[0] ?? 0;
    for (;;) {
      const reply = await this.#next(limitMs(running));
      if (reply?.tell === "running") running = reply.test;
      else if (reply?.tell === "noticed") return { test: reply.test, hung: false };
      else {
        await this.#restart();
        return { test: running, hung: true };
      }
    }
  }

  /** Ends the process. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await child.status;
    await this.#input?.abort().catch(ignore);
    await this.#replies?.cancel().catch(ignore);
  }

  async #restart(): Promise<void> {
    await this.end();
    await this.start();
  }

  async #ask(request: RunnerRequest): Promise<void> {
    await this.#input!.write(new TextEncoder().encode(JSON.stringify(request) + "\n")).catch(
      ignore,
    );
  }

  /** The next reply; null if none comes in time, or the process has ended. */
  async #next(limitMs: number): Promise<RunnerReply | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), limitMs));
    try {
      const read = this.#replies!.read().then(({ value }) => value, () => undefined);
      const line = await Promise.race([read, late]);
      return line === null || line === undefined ? null : JSON.parse(line);
    } finally {
      clearTimeout(timer);
    }
  }
}

function ignore(): void {}
