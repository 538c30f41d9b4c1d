/** The exploration of the core, in its smallest scenario, and that it sees what is broken. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { explore } from "../../scripts/verify/exploration/explore.ts";
import { type Action, ExploredWorld } from "../../scripts/verify/exploration/explored_world.ts";
import { SCENARIOS } from "../../scripts/verify/exploration/scenarios.ts";
import { PromiseBroken } from "../../scripts/verify/exploration/promise_broken.ts";
import { checkEnd, checkPacket } from "../../scripts/verify/exploration/promises.ts";

const SCENARIO = SCENARIOS[0]!;

Deno.test("every interleaving of one QoS 2 exchange and a crash keeps the promises", () => {
  const { broken, isComplete, states, transitions, ends } = explore(SCENARIO);
  assertEquals([broken, isComplete], [null, true]);
  assert(states > 500 && transitions > states && ends > 1, `${states} ${transitions} ${ends}`);
});

Deno.test("the same actions lead to the same state, in another order of what is independent", () => {
  const scenario = { ...SCENARIO, subscribers: [2, 2] as const, crashes: 0 };
  const start: Action[] = [
    { kind: "publish", client: 0 },
    { kind: "endTurn", client: -1 },
    { kind: "commit", client: -1 },
  ];
  const keys = [[1, 2], [2, 1]].map((order) => {
    const world = new ExploredWorld(scenario);
    for (const action of start) world.act(action);
    for (const client of order) world.act({ kind: "receive", client });
    world.act({ kind: "endTurn", client: -1 });
    world.act({ kind: "commit", client: -1 });
    return world.key;
  });
  assertEquals(keys[0], keys[1]);
});

Deno.test("an acknowledgement that the disk does not know of is seen", () => {
  const world = new ExploredWorld(SCENARIO);
  const [publisher, subscriber] = [world.publishers[0]!, world.subscribers[0]!];
  const broken: readonly (() => void)[] = [
    () => checkPacket(world, publisher, { type: "PUBREC", packetId: 1 }),
    () => checkPacket(world, publisher, { type: "PUBACK", packetId: 1 }),
    () =>
      checkPacket(world, subscriber, {
        type: "PUBLISH",
        dup: false,
        qos: 2,
        retain: false,
        topic: "t/p0" as never,
        packetId: 1,
        payload: Uint8Array.of(1),
      }),
    () => checkEnd(world),
  ];
  for (const check of broken) assertThrows(check, PromiseBroken);
});

Deno.test("a way to what is broken is told", () => {
  // These clients acknowledge everything, which at QoS 0 is an acknowledgement of nothing.
  const scenario = { ...SCENARIO, publishers: [[{ number: 1, qos: 0 as const }]], crashes: 0 };
  const { broken } = explore(scenario);
  assertEquals(broken, "refused: PUBREC of s0 after publish 0, endTurn, receive 1");
});
