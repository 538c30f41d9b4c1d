/** An Edge Node and a host as one plays them over sockets, for what the table of rules does not show. */
import type { RefereeClient } from "../../../src/sparkplug/judging.ts";
import { Script } from "./_script.ts";
import type { Stage } from "./_stage.ts";

/** Plays what `act` does as the next steps of a script that goes on. */
export async function act(stage: Stage, script: Script, what: (s: Script) => void): Promise<void> {
  const before = script.steps.length;
  what(script);
  await stage.play(script.steps.slice(before));
}

/** An Edge Node that is born on this stage. */
export async function bornNode(stage: Stage): Promise<{ script: Script; node: RefereeClient }> {
  const script = new Script();
  await act(stage, script, (s) => s.bornDevice());
  return { script, node: script.edge };
}
