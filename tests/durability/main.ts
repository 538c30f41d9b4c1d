/** `deno task test:kill`: the long form of the `kill -9` test. */
import { parseArgs } from "@std/cli";
import { runKillRounds } from "./kill_rounds.ts";

const USAGE = `Usage: deno task test:kill [options]
  --rounds N     kills under load (200)
  --seed N       another sequence of moments (by the clock)
  --sabotage     takes back what one round has written: must report lost messages, and exit with 1`;
const SETTLE_EVERY = 20;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function whole(value: unknown, name: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`Cannot read --${name}: not a whole number from 1 on: "${value}"`);
  }
  return number;
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["rounds", "seed"],
    boolean: ["sabotage", "help"],
    default: { rounds: "200", seed: String(Date.now() % 1_000_000) },
    unknown: (word: string) => {
      throw new Error(`Cannot read arguments: unknown "${word}"\n${USAGE}`);
    },
  });
  if (flags["help"]) {
    say(USAGE);
    return 0;
  }
  const rounds = whole(flags["rounds"], "rounds");
  const seed = whole(flags["seed"], "seed");
  say(`kill -9, ${rounds} rounds, seed ${seed}`);
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => interruption.abort());
  }
  const report = await runKillRounds({
    signal: interruption.signal,
    rounds,
    seed,
    settleEvery: SETTLE_EVERY,
    say,
    ...(flags["sabotage"] === true &&
      { sabotageAt: Math.ceil(Math.min(rounds, SETTLE_EVERY) / 2) }),
  });
  if (interruption.signal.aborted) {
    say(`interrupted after ${report.rounds} rounds`);
    return 130;
  }
  for (const violation of report.violations) say(`VIOLATION: ${violation}`);
  say(
    `${report.rounds} rounds, ${report.checkpointKills} of them at a checkpoint; ` +
      `${report.startUpKills} more kills during start-up\n` +
      `acknowledged: ${report.acknowledgedQos1} at QoS 1, ${report.acknowledgedQos2} at QoS 2, ` +
      `${report.wills} Wills; ${report.retainedChecks} retained values looked at\n` +
      `received by 4 persistent subscribers: ${report.received}, ` +
      `of them ${report.repeated} repeated where QoS 1 allows it\n` +
      `lost ${report.lost}, duplicated ${report.duplicated}, ` +
      `violations ${report.violations.length}, ${(report.elapsedMs / 1000).toFixed(1)} s`,
  );
  return report.violations.length > 0 ? 1 : 0;
}

Deno.exit(await main(Deno.args));
