/**
 * Runs tests against mutants, in a process of its own that can be ended when a mutant never ends.
 * Lines of JSON in and out: see `RunnerRequest` and `RunnerReply`.
 */
import { TextLineStream } from "./text_lines.ts";
import { Suite } from "./suite.ts";
import { wake, watchReached } from "./switchboard.ts";

/** What the runner is asked: which mutants a test reaches, or whether one of the tests notices a mutant. */
export type RunnerRequest =
  | { readonly ask: "reach"; readonly test: number }
  | { readonly ask: "notice"; readonly mutant: number; readonly tests: readonly number[] };

/** What it answers. `running` comes before every test. */
export type RunnerReply =
  | {
    readonly tell: "ready";
    readonly names: readonly string[];
    /** Those that were reached while the modules were loaded, in tables that are built then. */
    readonly mutants: readonly number[];
  }
  | { readonly tell: "running"; readonly test: number }
  | {
    readonly tell: "reached";
    readonly passed: boolean;
    readonly ms: number;
    readonly mutants: readonly number[];
  }
  | { readonly tell: "noticed"; readonly test: number | null };

const encoder = new TextEncoder();

function tell(reply: RunnerReply): void {
  const line = encoder.encode(JSON.stringify(reply) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

async function reach(suite: Suite, test: number): Promise<void> {
  watchReached();
  const startMs = performance.now();
  const passed = await suite.passes(test);
  const ms = performance.now() - startMs;
  tell({ tell: "reached", passed, ms, mutants: [...watchReached()] });
}

async function notice(
  suite: Suite,
  { mutant, tests }: { mutant: number; tests: readonly number[] },
): Promise<void> {
  for (const test of tests) {
    tell({ tell: "running", test });
    wake(mutant);
    const passed = await suite.passes(test);
    wake(-1);
    if (!passed) return tell({ tell: "noticed", test });
  }
  tell({ tell: "noticed", test: null });
}

/** `loadAwake`: the mutant that is awake while the modules are loaded, or a number below 0. */
async function main([loadAwake, ...modules]: readonly string[]): Promise<void> {
  // What a broken broker leaves behind must not end the process.
  globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
  globalThis.addEventListener("error", (event) => event.preventDefault());
  watchReached();
  if (Number(loadAwake) >= 0) wake(Number(loadAwake));
  const suite = await Suite.load(modules);
  const mutants = [...watchReached()];
  wake(-1);
  const names = Array.from({ length: suite.size }, (_, i) => suite.name(i));
  tell({ tell: "ready", names, mutants });
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  );
  for await (const line of lines) {
    const request: RunnerRequest = JSON.parse(line);
    if (request.ask === "reach") await reach(suite, request.test);
    else await notice(suite, request);
  }
}

if (import.meta.main) await main(Deno.args);
