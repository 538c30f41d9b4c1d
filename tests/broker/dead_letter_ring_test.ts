/** How many dead letters are kept: a burst, a rate, and a ring that is bounded over restarts. */
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { coreWith, type Limits, REFUSING } from "./_dead_letters.ts";
import type { RecordingStore } from "./_recording_store.ts";

function restart(core: Core, store: RecordingStore, limits: Limits = core.limits) {
  core.commit();
  const next = store.afterCrash();
  return { core: new Core({ store: next, limits, wallMs: core.wallMs }), store: next };
}

Deno.test("a burst that fits is kept, then so many in a second, and the rest is counted", () => {
  const limits = { deadLettersMessagesMax: 5, deadLettersPerSecondMax: 2 };
  const { core, store } = coreWith(limits, REFUSING);
  const publisher = core.connect();
  const kept: number[] = [];
  for (const waitMs of [0, 250, 250, 500, 1_000, 60_000]) {
    if (waitMs > 0) core.advance(waitMs);
    const before = store.letters.length;
    for (let i = 0; i < 20; i++) publisher.publish("no", "x", { qos: 1 });
    kept.push(store.letters.length - before);
  }
  assertEquals(kept, [5, 0, 1, 1, 2, 5]);
  const { dropped, deadLettersNotKept, deadLetters } = core.statistics;
  assertEquals(dropped["publish-refused"], 120);
  assertEquals([deadLettersNotKept, deadLetters], [120 - 14, 5]);
});

Deno.test("of refused messages that come together each is kept or counted", () => {
  const limits = { deadLettersMessagesMax: 3, deadLettersPerSecondMax: 1 };
  const { core, store } = coreWith(limits, REFUSING);
  const packets = Array.from({ length: 10 }, (_, i) => publishPacket("no", `${i}`));
  core.connect().sendBytes(concatenate(packets.map(encodePacket)));
  assertEquals(store.letters.map(({ message }) => text(message.payload)), ["0", "1", "2"]);
  assertEquals(core.statistics.deadLettersNotKept, 7);
  core.connect().sendBytes(concatenate(packets.map(encodePacket)));
  assertEquals(core.statistics.dropped["publish-refused"], 20);
  assertEquals(core.statistics.deadLettersNotKept, 17);
});

Deno.test("messages at QoS 0 for a stalled client are counted once each, kept or not", () => {
  const outbox = { outboxBytesMax: 2_000, outboxHighWaterBytes: 1_000, outboxLowWaterBytes: 10 };
  const limits = { ...outbox, deadLettersMessagesMax: 3, deadLettersPerSecondMax: 1 };
  const { core, store } = coreWith({ ...limits, slowConsumerGraceMs: 0 });
  const stalled = core.connect();
  stalled.subscribe("t");
  stalled.frozen = true;
  const publisher = core.connect();
  const packets = Array.from({ length: 10 }, () => publishPacket("t", "x".repeat(300)));
  for (let round = 0; round < 5; round++) {
    publisher.sendBytes(concatenate(packets.map(encodePacket)));
    core.advance(50, 50);
  }
  stalled.thaw();
  const got = stalled.takeMessages().length;
  const { dropped, deadLettersNotKept } = core.statistics;
  assertEquals(got + dropped["stalled-consumer"], 50);
  assertEquals([store.letters.length, deadLettersNotKept], [3, dropped["stalled-consumer"] - 3]);
});

Deno.test("the ring is bounded in messages and bytes, and the oldest go first", () => {
  const many = { deadLettersPerSecondMax: 1_000_000 };
  for (
    const [limits, left] of [
      [{ deadLettersMessagesMax: 3 }, [8, 9, 10]],
      [{ deadLettersBytesMax: 1_000 }, [8, 9, 10]],
      [{ deadLettersBytesMax: 200 }, []],
    ] as const
  ) {
    const { core, store } = coreWith({ ...many, ...limits }, REFUSING);
    const publisher = core.connect();
    for (let i = 0; i < 10; i++) {
      core.advance(250);
      publisher.publish("no", "x", { qos: 1 });
    }
    const { deadLetters } = store.load();
    assertEquals(deadLetters.map(({ id }) => id), [...left]);
    assertEquals(core.statistics.deadLetters, left.length);
    const bytes = deadLetters.reduce((sum, letter) => sum + letter.bytes, 0);
    assertEquals(core.statistics.deadLetterBytes, bytes);
  }
});

Deno.test("numbers and bounds go on behind a restart, also when the limits are smaller then", () => {
  const first = coreWith({}, REFUSING);
  const publisher = first.core.connect();
  for (let i = 0; i < 5; i++) publisher.publish("no", "x", { qos: 1 });
  const second = restart(first.core, first.store);
  assertEquals(second.core.statistics.deadLetters, 5);
  assertEquals(second.core.statistics.deadLetterBytes, first.core.statistics.deadLetterBytes);
  second.core.connect().publish("$SYS/x", "x", { qos: 1 });
  assertEquals(second.store.load().deadLetters.map(({ id }) => id), [1, 2, 3, 4, 5, 6]);
  const third = restart(second.core, second.store, { deadLettersMessagesMax: 2 });
  assertEquals(third.store.load().deadLetters.map(({ id }) => id), [5, 6]);
  assertEquals(third.core.statistics.deadLetters, 2);
  const fourth = restart(third.core, third.store, { deadLettersMessagesMax: 0 });
  assertEquals(fourth.store.load().deadLetters, []);
  assertEquals(fourth.core.statistics.deadLetterBytes, 0);
});
