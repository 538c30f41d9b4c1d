/**
 * Opens the database named on the command line and says what kept it from rescuing all; is killed in
 * front of a step, by its number.
 */
import { openOrQuarantine } from "../../src/store/quarantine.ts";

const [path, last] = Deno.args;
let steps = 0;
const onStep = (): void => {
  if (++steps === Number(last)) Deno.kill(Deno.pid, "SIGKILL");
};
const options = { walBytesMax: 4_194_304, durability: "commit", onStep } as const;
const { database, quarantine } = openOrQuarantine(path!, options, Date.UTC(2026, 0, 1));
database.close();
await Deno.stdout.write(new TextEncoder().encode(quarantine?.trouble ?? "no trouble"));
