/** Explores one scenario, in a process of its own: `run_scenario.ts NAME`, prints JSON. */
import { say } from "../../bench/terminal.ts";
import { explore } from "./explore.ts";
import { SCENARIOS } from "./scenarios.ts";

const scenario = SCENARIOS.find(({ name }) => name === Deno.args[0]);
if (scenario === undefined) throw new Error(`Cannot explore: no scenario "${Deno.args[0]}"`);
say(JSON.stringify(explore(scenario)));
