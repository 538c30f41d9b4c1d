/** The limits of what waits, at their very borders: what fits still fits, what does not is given up. */
import { assertEquals } from "@std/assert";
import { text } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

type Limits = NonNullable<CoreOptions["limits"]>;

/** What one message of `send` costs in a queue. */
const COST = costOfOne();
const NO_OTHER = { queueMessagesMax: 1_000, queueTotalMessagesMax: 1_000 };

function away(core: Core, clientIdentifier: string): void {
  const client = core.connect({ clientIdentifier, cleanSession: false });
  client.subscribe(`to/${clientIdentifier}`, 1);
  client.lose();
}

function send(publisher: FakeClient, to: string, content: string): void {
  publisher.publish(`to/${to}`, content, { qos: 1 });
}

function costOfOne(): number {
  const core = new Core();
  away(core, "a");
  send(core.connect({ clientIdentifier: "p" }), "a", "1");
  return core.statistics.queuedBytes;
}

/** A broker with sessions "a" and "b" away, to which these messages of one letter are sent in order. */
function sent(limits: Limits, messages: readonly (readonly [string, string])[]) {
  const store = new RecordingStore();
  const core = new Core({ store, limits: { deadLettersPerSecondMax: 100, ...limits } });
  away(core, "a");
  away(core, "b");
  const publisher = core.connect({ clientIdentifier: "p" });
  for (const [to, content] of messages) send(publisher, to, content);
  const waiting = (clientIdentifier: string) => {
    const client = core.connect({ clientIdentifier, cleanSession: false });
    return client.takeMessages().map(({ payload }) => text(payload)).join("");
  };
  const { queuedMessages, queuedBytes } = core.statistics;
  assertEquals(queuedBytes, queuedMessages * COST);
  return { a: waiting("a"), b: waiting("b"), reasons: store.reasons };
}

const TO_A = [["a", "1"], ["a", "2"], ["a", "3"], ["a", "4"]] as const;

for (
  const [what, limits] of [
    ["messages of one queue", { queueMessagesMax: 3 }],
    ["bytes of one queue", { ...NO_OTHER, queueBytesMax: 3 * COST }],
    ["messages of all queues", { queueTotalMessagesMax: 3 }],
    ["bytes of all queues", { ...NO_OTHER, queueTotalBytesMax: 3 * COST }],
  ] as const
) {
  Deno.test(`a queue that is full by the ${what} holds exactly so much, and the newest goes`, () => {
    const { a, reasons } = sent({ ...limits, queueFull: "drop_newest" }, TO_A);
    assertEquals([a, reasons], ["123", ["queue-full-newest"]]);
  });

  Deno.test(`a queue that is full by the ${what} gives its oldest for the newest`, () => {
    const { a, reasons } = sent({ ...limits, queueFull: "drop_oldest" }, TO_A);
    assertEquals([a, reasons], ["234", ["queue-full-oldest"]]);
  });
}

for (
  const [what, limits] of [
    ["messages", { queueTotalMessagesMax: 3 }],
    ["bytes", { ...NO_OTHER, queueTotalBytesMax: 3 * COST }],
  ] as const
) {
  Deno.test(`a session gives nothing of its own for the ${what} that others keep waiting`, () => {
    const messages = [["a", "1"], ["a", "2"], ["a", "3"], ["b", "4"]] as const;
    const { a, b, reasons } = sent({ ...limits, queueFull: "drop_oldest" }, messages);
    assertEquals([a, b, reasons], ["123", "", ["queue-full-newest"]]);
  });

  Deno.test(`a session gives its own oldest when the ${what} of all are used up`, () => {
    const messages = [["a", "1"], ["b", "2"], ["b", "3"], ["b", "4"]] as const;
    const { a, b, reasons } = sent({ ...limits, queueFull: "drop_oldest" }, messages);
    assertEquals([a, b, reasons], ["1", "34", ["queue-full-oldest"]]);
  });
}

Deno.test("nothing is given up for a message that is larger than the whole queue", () => {
  const limits = { ...NO_OTHER, queueBytesMax: 3 * COST, queueFull: "drop_oldest" } as const;
  const messages = [["a", "1"], ["a", "2"], ["a", "x".repeat(3 * COST)]] as const;
  const { a, reasons } = sent(limits, messages);
  assertEquals([a, reasons], ["12", ["queue-full-newest"]]);
});

Deno.test("what is in flight counts against the bytes of all", () => {
  const limits = { ...NO_OTHER, queueTotalBytesMax: 3 * COST, inFlightMessagesMax: 2 };
  const core = new Core({ limits });
  away(core, "b");
  const reader = core.connect({ clientIdentifier: "a" });
  reader.subscribe("to/a", 1);
  const publisher = core.connect({ clientIdentifier: "p" });
  for (const content of ["1", "2"]) send(publisher, "a", content);
  for (const content of ["3", "4"]) send(publisher, "b", content);
  assertEquals(core.statistics.inFlightBytes, 2 * COST);
  assertEquals(core.statistics.queuedBytes, COST);
  assertEquals(core.statistics.dropped["queue-full-newest"], 1);
});
