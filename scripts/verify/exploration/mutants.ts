/** Breaks the source of the broker, and sees that the exploration notices. */
import { type Mutant, MUTANTS } from "../../../tests/simulation/mutants.ts";
import type { Exploration } from "./explore.ts";

const ROOT = new URL("../../../", import.meta.url);
/** What an exploration reads. */
const NEEDED = ["src", "scripts/verify", "scripts/bench", "tests/broker", "tests/simulation"];

/** Mutants of the simulation, and the scenarios that must notice them; the first are quick. */
const CHOSEN: readonly (readonly [string, string])[] = [
  ["QoS 2 routed again on a duplicate PUBLISH", "QoS 2 to QoS 2, 1 crash"],
  ["PUBACK and PUBREC before the commit", "QoS 2 to QoS 2, 1 crash"],
  ["order of a queue swapped", "2 messages of 1 publisher, window 1, 1 crash"],
  ["every acknowledgement before its commit", "QoS 2 to QoS 2, 1 crash"],
  ["QoS 2 PUBLISH before its Packet Identifier is durable", "QoS 2 to QoS 2, 1 crash"],
  ["QoS 2 receiver forgotten in a crash", "QoS 2 to QoS 2, 1 crash"],
  ["QoS 2 receiver never finished in the store", "QoS 2 to QoS 2, 1 crash"],
  ["delivery finished before PUBACK or PUBCOMP", "QoS 1 to QoS 2 and 1, 1 crash"],
  ["acknowledged delivery not finished in the store", "QoS 2 to QoS 2, 1 crash"],
];
const QUICK = 3;

/** A mutant, and the promise that was seen broken; null if none was. */
export interface ExplorationVerdict {
  readonly name: string;
  readonly broken: string | null;
}

/** Tries the mutants, two at a time. */
export async function runMutants({ quick }: { quick: boolean }): Promise<ExplorationVerdict[]> {
  const waiting = CHOSEN.slice(0, quick ? QUICK : CHOSEN.length);
  const verdicts: ExplorationVerdict[] = [];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, scenario] = next;
      verdicts.push({ name, broken: await tryMutant(mutantNamed(name), scenario) });
    }
  }
  await Promise.all([work(), work()]);
  return verdicts;
}

function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`Cannot explore: no mutant "${name}"`);
  return mutant;
}

async function tryMutant(mutant: Mutant, scenario: string): Promise<string | null> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-verify-" });
  try {
    for (const name of NEEDED) await copy(new URL(name, ROOT), `${directory}/${name}`);
    for (const name of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(new URL(name, ROOT), `${directory}/${name}`);
    }
    await breakSource(mutant, `${directory}/${mutant.file}`);
    const command = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--frozen", "--no-prompt", "--allow-read"],
        ...["scripts/verify/exploration/run_scenario.ts", scenario],
      ],
      cwd: directory,
      stdout: "piped",
      stderr: "piped",
    });
    const { stdout, stderr, success } = await command.output();
    // What the core asserts, or cannot do, is found as well.
    if (!success) return errorOf(new TextDecoder().decode(stderr));
    return (JSON.parse(new TextDecoder().decode(stdout)) as Exploration).broken;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The message of the error that ended a process; throws if it was not one of the core's own. */
function errorOf(output: string): string {
  const found = /Uncaught.*?Error: (.*)/.exec(output)?.[1];
  if (found === undefined || !output.includes("/src/")) {
    throw new Error(`Cannot explore mutant: ${output.slice(0, 500)}`);
  }
  return found;
}

async function breakSource({ name, original, replacement }: Mutant, path: string): Promise<void> {
  const parts = (await Deno.readTextFile(path)).split(original);
  if (parts.length !== 2) {
    throw new Error(`Cannot make mutant "${name}": its text stands ${parts.length - 1} times`);
  }
  await Deno.writeTextFile(path, parts.join(replacement));
}

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    const source = new URL(`${from}/${entry.name}`);
    if (entry.isDirectory) await copy(source, `${to}/${entry.name}`);
    else await Deno.copyFile(source, `${to}/${entry.name}`);
  }
}
