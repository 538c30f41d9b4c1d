/** The queue of those that are not read until a given moment. */
import { assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { Connection } from "../../src/broker/connection.ts";
import { ReleaseQueue } from "../../src/broker/release_queue.ts";
import { BlockPool } from "../../src/mqtt/mod.ts";

const POOL = new BlockPool(0);
const ORIGIN = { remoteAddress: "192.0.2.1:1", listener: "test" };

Deno.test("random histories of the release queue agree with a list that is searched", () => {
  const random = new Random(11);
  for (let round = 0; round < 100; round++) {
    const queue = new ReleaseQueue();
    const all = Array.from(
      { length: 1 + random.below(40) },
      (_, handle) => new Connection(handle, { origin: ORIGIN, pool: POOL, nowMs: 1 }),
    );
    const held = new Map<Connection, number>();
    let nowMs = 1;
    for (let step = 0; step < 200; step++) {
      const connection = all[random.below(all.length)]!;
      if (random.oneIn(4)) {
        queue.remove(connection);
        held.delete(connection);
      } else if (random.oneIn(3)) {
        nowMs += random.below(30);
        const due = [...held].filter(([, untilMs]) => untilMs <= nowMs);
        const taken: number[] = [];
        for (let next = queue.takeDue(nowMs); next !== null; next = queue.takeDue(nowMs)) {
          taken.push(held.get(next)!);
          held.delete(next);
        }
        assertEquals(taken, due.map(([, untilMs]) => untilMs).toSorted((a, b) => a - b));
      } else {
        const untilMs = nowMs + random.below(50);
        queue.hold(connection, untilMs);
        held.set(connection, untilMs);
      }
      assertEquals(queue.nextMs, Math.min(Infinity, ...held.values()));
      for (const each of all) assertEquals(each.heldByRate, held.has(each));
    }
  }
});
