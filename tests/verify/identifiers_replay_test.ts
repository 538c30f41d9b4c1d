/** Packet Identifiers as they are proved, and `Session` as it ships, step by step. */
import { assertEquals, assertThrows } from "@std/assert";
import { makeMessage, QOS_SENDER } from "../../src/broker/mod.ts";
import { Delivery } from "../../src/broker/delivery_queue.ts";
import { Session } from "../../src/broker/session.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { IDENTIFIERS } from "../../scripts/verify/systems/identifiers.ts";
import { Replay } from "./_replay.ts";

const IDS = 65_535;

/** Allocates in both; the loop of the system is carried out until it takes one. */
function allocate(replay: Replay, session: Session, two: boolean): number {
  let free = 1;
  while (session.inFlight.has(free)) free++;
  replay.take("begin", { one: free });
  while (!replay.can("take", { two })) replay.take("pass_over");
  replay.take("take", { two });
  const id = session.allocatePacketId();
  assertEquals(id, replay.number("last"));
  const message = makeMessage("t", new Uint8Array(1), two ? 2 : 1);
  const delivery = new Delivery(message, two ? 2 : 1, false);
  delivery.state = two ? QOS_SENDER.states.awaitPubrec : QOS_SENDER.states.awaitPuback;
  session.inFlight.set(id, delivery);
  return id;
}

function walk(system: System, seed: number): void {
  const random = new Random(seed);
  const replay = new Replay(system);
  replay.take("choose_number", { count: IDS });
  const session = new Session("c", true);
  const restart = random.oneIn(2) ? IDS - random.below(6) : random.below(6);
  session.continuePacketIdsAt(restart);
  replay.take("crash", { anywhere: restart });
  const used: number[] = [];
  for (let step = 0; step < 40; step++) {
    if (used.length > 2 && random.oneIn(5)) {
      // Another process goes on right before what is in use.
      const anywhere = used[0]! - 1;
      replay.take("commit");
      replay.take("crash", { anywhere });
      session.continuePacketIdsAt(anywhere);
    } else if (used.length < 8 && !random.oneIn(3)) {
      used.push(allocate(replay, session, random.oneIn(2)));
    } else if (used.length > 0) {
      const index = random.below(used.length);
      const id = used[index]!;
      const events = ["PUBACK", "PUBREC", "PUBCOMP"] as const;
      const event = events[random.below(3)]!;
      if (!replay.can("hear", { one: id, event: `sender/${event}` })) continue;
      replay.take("hear", { one: id, event: `sender/${event}` });
      const delivery = session.inFlight.get(id)!;
      const at = delivery.state * QOS_SENDER.stride + QOS_SENDER.events[event];
      delivery.state = QOS_SENDER.next[at]!;
      if (QOS_SENDER.emission[at] === QOS_SENDER.emissions.finish) {
        session.inFlight.delete(id);
        used.splice(index, 1);
      }
      assertEquals(session.inFlight.has(id), replay.at("used", id));
    }
  }
}

Deno.test("Packet Identifiers are given as in the system that is proved [MQTT-2.3.1-4]", () => {
  for (let seed = 1; seed <= 50; seed++) walk(IDENTIFIERS, seed);
});

Deno.test("a system that gives identifiers otherwise is noticed", () => {
  for (const mutant of IDENTIFIERS.mutants.slice(0, 2)) {
    const broken = { ...mutateSystem(IDENTIFIERS, mutant), claims: {}, invariant: {} };
    assertThrows(
      () => {
        for (let seed = 1; seed <= 50; seed++) walk(broken, seed);
      },
      Error,
      "",
    );
  }
});
