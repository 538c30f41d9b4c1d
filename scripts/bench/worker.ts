/** Entry of every load process: `worker.ts ROLE SPEC`, the spec in JSON. */

import { runFlood } from "./flood.ts";
import { runGuess } from "./guess.ts";
import { runIdle } from "./idle.ts";
import { ControlLink } from "./link.ts";
import { runPaced } from "./paced.ts";
import type {
  FloodSpec,
  GuessSpec,
  IdleSpec,
  PacedSpec,
  SlowSpec,
  StormSpec,
  SubscriberSpec,
  WindowedSpec,
} from "./roles.ts";
import { runSlow } from "./slow.ts";
import { runStorm } from "./storm.ts";
import { runSubscriber } from "./subscriber.ts";
import { runWindowed } from "./windowed.ts";

async function main(role: string, spec: string): Promise<void> {
  const work: unknown = JSON.parse(spec);
  switch (role) {
    case "subscriber":
      return await runSubscriber(work as SubscriberSpec, link);
    case "flood":
      return await runFlood(work as FloodSpec, link);
    case "windowed":
      return await runWindowed(work as WindowedSpec, link);
    case "paced":
      return await runPaced(work as PacedSpec, link);
    case "idle":
      return await runIdle(work as IdleSpec, link);
    case "storm":
      return await runStorm(work as StormSpec, link);
    case "slow":
      return await runSlow(work as SlowSpec, link);
    case "guess":
      return await runGuess(work as GuessSpec, link);
    default:
      throw new Error(`Cannot work: unknown role "${role}"`);
  }
}

/** The signals are the parent's to handle: it ends every worker by its own pid. */
function ignoreInterrupt(): void {}

Deno.addSignalListener("SIGINT", ignoreInterrupt);
const link = new ControlLink();
try {
  await main(Deno.args[0] ?? "", Deno.args[1] ?? "{}");
  // The parent still reads this process's CPU time, then ends it; the control channel keeps it here.
} catch (error) {
  link.fail(error);
}
