/** A load that makes no sense is refused as a whole: half a state would look like all of it. */
import { assertEquals, assertThrows } from "@std/assert";
import { ChangeWriter } from "../../src/store/sqlite_change_writer.ts";
import type { ChangeSink } from "../../src/store/sqlite_changes.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";

type Write = (writer: ChangeWriter) => void;

const SESSION = { client: "c", storedSinceMs: 0, owner: "" };
const DELIVERY = { sequence: 1, message: 7, qos: 1, retain: false, packetId: 0, sent: 0 } as const;

/** Changes of what is there already: a load has none of them. */
const CHANGES: Partial<Record<keyof ChangeSink, Write>> = {
  sessionDiscarded: (writer) => writer.sessionDiscarded(1),
  sessionStored: (writer) => writer.sessionStored(1, 5),
  sessionOwned: (writer) => writer.sessionOwned(1, "someone"),
  replayPending: (writer) => writer.replayPending(1, { filter: "f", pending: true }),
  unsubscribed: (writer) => writer.unsubscribed(1, "f"),
  deliveryChanged: (writer) =>
    writer.deliveryChanged(1, { sequence: 1, packetId: 2, sent: 1, released: false }),
  deliveryFinished: (writer) => writer.deliveryFinished(1, 1),
  receiveFinished: (writer) => writer.receiveFinished(1, 9),
  retainedDeleted: (writer) => writer.retainedDeleted("t"),
  willDeleted: (writer) => writer.willDeleted("c"),
  deadLettersDropped: (writer) => writer.deadLettersDropped(3),
  deadLetterRemoved: (writer) => writer.deadLetterRemoved(3),
  republished: (writer) => writer.republished(3),
  bdSeqSeen: (writer) => writer.bdSeqSeen("group/node", null),
};

function load(write: Write): void {
  const writer = new ChangeWriter();
  writer.sessionCreated(1, SESSION);
  write(writer);
  readState([writer.take()]);
}

for (const [change, write] of Object.entries(CHANGES)) {
  Deno.test(`a load with ${change} in it is refused by name`, () => {
    assertThrows(() => load(write), Error, `Cannot load state: ${change} in it`);
  });
}

Deno.test("a load is refused if it refers to a session or a message that is not in it", () => {
  const noSession = "Cannot load state: no session 2";
  const filter = { filter: "f", qos: 0, replayPending: false } as const;
  assertThrows(() => load((writer) => writer.subscribed(2, filter)), Error, noSession);
  assertThrows(() => load((writer) => writer.receiveStarted(2, 9)), Error, noSession);
  const delivery = { ...DELIVERY, queuedS: 0, released: false };
  const noMessage = "Cannot load delivery: no message 7";
  assertThrows(() => load((writer) => writer.deliveryAdded(1, delivery)), Error, noMessage);
});

Deno.test("a load is refused if the Topic Name of a message goes beyond its bytes", () => {
  const body = Uint8Array.of(0, 3, 0x61, 0x62);
  const reason = "Cannot load message 7: Topic Name cut off";
  assertThrows(() => load((writer) => writer.message(7, { qos: 1, body })), Error, reason);
});

Deno.test("a load is refused if a change is of a kind that nobody knows", () => {
  const writer = new ChangeWriter();
  writer.sessionDiscarded(1);
  const bytes = writer.take();
  bytes[0] = 0xff;
  assertThrows(() => readState([bytes]), Error, "Cannot read changes: unknown kind 255");
});

Deno.test("an empty load is an empty state", () => {
  const { state, keys, messageId } = readState([]);
  assertEquals([keys.length, messageId, state.sessions.length, state.clock], [0, 0, 0, null]);
});
