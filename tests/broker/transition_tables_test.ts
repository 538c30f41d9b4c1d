/** The tables as data: complete, closed, and compiled to exactly what is written down. */
import { assert, assertEquals } from "@std/assert";
import {
  CONNECTION,
  CONNECTION_TABLE,
  NO_TRANSITION,
  QOS_RECEIVER,
  QOS_RECEIVER_TABLE,
  QOS_SENDER,
  QOS_SENDER_TABLE,
  SESSION,
  SESSION_TABLE,
  type TransitionTable,
} from "../../src/broker/mod.ts";

interface Compiled {
  readonly states: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly emissions: Readonly<Record<string, number>>;
  readonly stride: number;
  readonly next: Uint8Array;
  readonly emission: Uint8Array;
}

const TABLES: readonly (readonly [string, TransitionTable, Compiled, string])[] = [
  ["connection", CONNECTION_TABLE, CONNECTION, "awaitConnect"],
  ["QoS receiver", QOS_RECEIVER_TABLE, QOS_RECEIVER, "idle"],
  ["QoS sender", QOS_SENDER_TABLE, QOS_SENDER, "idle"],
  ["session", SESSION_TABLE, SESSION, "absent"],
];

for (const [name, table, compiled, initial] of TABLES) {
  Deno.test(`the ${name} table accepts exactly its entries, of every state and every event`, () => {
    const { states, events, emissions, stride, next, emission } = compiled;
    assertEquals(Object.keys(states), Object.keys(table));
    assertEquals(next.length, Object.keys(states).length * Object.keys(events).length);
    for (const [state, row] of Object.entries(table)) {
      for (const event of Object.keys(events)) {
        const at = states[state]! * stride + events[event]!;
        const entry = row[event];
        assertEquals(next[at], entry === undefined ? NO_TRANSITION : states[entry.to]);
        const emitted = entry?.emit === undefined ? 0 : emissions[entry.emit];
        assertEquals(emission[at], emitted, `${state} ${event}`);
      }
    }
  });

  Deno.test(`the ${name} table numbers states, events and emissions without a gap`, () => {
    const { states, events, emissions } = compiled;
    assertEquals(Object.values(states), Object.keys(states).map((_, i) => i));
    assertEquals(Object.values(events), Object.keys(events).map((_, i) => i));
    assertEquals(Object.values(emissions), Object.keys(emissions).map((_, i) => i + 1));
  });

  Deno.test(`every state of the ${name} table can be reached from ${initial}`, () => {
    const reached = new Set([initial]);
    for (const state of reached) {
      for (const { to } of Object.values(table[state]!)) reached.add(to);
    }
    assertEquals([...reached].sort(), Object.keys(table).sort());
  });
}

Deno.test("a closed connection leads nowhere, and every other one can be closed", () => {
  assertEquals(Object.keys(CONNECTION_TABLE.closed), []);
  for (const [state, row] of Object.entries(CONNECTION_TABLE)) {
    assert(state === "closed" || "close" in row, state);
  }
});
