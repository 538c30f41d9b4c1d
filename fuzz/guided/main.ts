/**
 * Coverage-guided fuzzing: the sources of all rooms are copied and made to tell their branches, and
 * inputs that take new ways are kept. An input is the list of decisions that made it, so that every
 * target is guided as it stands, and what is kept stays a valid input.
 */
import { parseArgs } from "@std/cli";
import { copyInstrumented } from "../../scripts/instrumented_copy.ts";
import { corpusFile } from "../corpus.ts";
import { TARGETS } from "../targets.ts";
import { instrument } from "./instrument.ts";

const ROOMS = [
  "src/admin",
  "src/broker",
  "src/config",
  "src/mqtt",
  "src/security",
  "src/sparkplug",
  "src/transport",
];
const USAGE = `usage: deno task fuzz:guided [--target NAME] [--seconds N] [--seed N] [--keep]
  --seconds  for each target (default: 5)
  --keep     writes what is worth keeping to fuzz/corpus
targets: ${TARGETS.map(({ name }) => name).join(", ")}`;
/** What a run may take beyond its seconds before it counts as a hang. */
const PATIENCE_MS = 120_000;

/** Runs the command; gives the exit code: 0 nothing found, 1 an input failed, 2 wrong command line. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  let valid = true;
  const flags = parseArgs([...args], {
    string: ["target", "seconds", "seed"],
    boolean: ["keep"],
    unknown: () => valid = false,
  });
  const { target = "", seconds = "5", seed = "1", keep } = flags;
  const known = target === "" || TARGETS.some(({ name }) => name === target);
  if (!valid || !known || !(Number(seconds) > 0) || !Number.isInteger(Number(seed))) {
    print(USAGE);
    return 2;
  }
  const root = await Deno.makeTempDir({ prefix: "relayq-guided-" });
  try {
    const edges = `file://${root}/fuzz/guided/edges.ts`;
    const numbers = { next: 0 };
    await copyInstrumented(root, {
      rooms: ROOMS,
      rewrite: (text, file) => instrument(text, { file, edges, numbers }),
    });
    const out = keep === true ? new URL(".", corpusFile("any")).pathname : "";
    if (out !== "") await Deno.mkdir(out, { recursive: true });
    let passed = true;
    for (const { name } of TARGETS.filter(({ name }) => target === "" || name === target)) {
      const args = ["--target", name, "--seconds", `${seconds}`, "--seed", `${seed}`, "--out", out];
      passed = await ended(run(root, args), {
        name,
        limitMs: Number(seconds) * 2000 + PATIENCE_MS,
        print,
      }) && passed;
    }
    return passed ? 0 : 1;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function run(root: string, args: readonly string[]): Deno.ChildProcess {
  const config = ["--config", `${root}/deno.json`, "--frozen", "--no-check", "--no-prompt"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", ...config, `${root}/fuzz/guided/run.ts`, ...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

/** Whether a run ended well; one that does not end is a hang, and is ended. */
async function ended(
  child: Deno.ChildProcess,
  { name, limitMs, print }: { name: string; limitMs: number; print: (line: string) => void },
): Promise<boolean> {
  const timer = setTimeout(() => {
    print(`FAILED: target ${name} hangs`);
    child.kill("SIGKILL");
  }, limitMs);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

// deno-lint-ignore no-console -- this is a program of the command line
if (import.meta.main) Deno.exit(await main(Deno.args, (line) => console.log(line)));
