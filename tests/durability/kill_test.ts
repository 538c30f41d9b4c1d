/** `kill -9` of a broker with the SQLite store, in a few rounds; `deno task test:kill` has many. */
import { assert, assertEquals } from "@std/assert";
import { runKillRounds } from "./kill_rounds.ts";

Deno.test("nothing acknowledged is lost, nothing at QoS 2 is doubled over kill -9", async () => {
  const report = await runKillRounds({ rounds: 4, seed: 4, settleEvery: 4 });
  assertEquals(report.violations, []);
  assertEquals([report.rounds, report.lost, report.duplicated], [4, 0, 0]);
  assert(report.acknowledgedQos1 > 0 && report.acknowledgedQos2 > 0 && report.wills > 0);
});

Deno.test("the kill -9 test sees a disk that forgets", async () => {
  const options = { rounds: 2, settleEvery: 2, sabotageAt: 2, silenceMs: 1_000 };
  const report = await runKillRounds({ ...options, seed: 1 });
  assert(report.lost > 0);
});
