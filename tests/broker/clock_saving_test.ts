/** How often the age clock is written: seldom while nothing else is, but never longer than it may. */
import { assertEquals } from "@std/assert";
import { Core } from "./_core.ts";
import { RecordingStore } from "./_recording_store.ts";

const MINUTE_MS = 60_000;

function started() {
  const store = new RecordingStore();
  const core = new Core({ store, limits: { keepAliveMaxMs: 0 } });
  store.records.length = 0;
  const saved = () => store.records.filter(({ kind }) => kind === "clockSaved").length;
  return { core, store, saved };
}

Deno.test("an idle broker saves its age clock once an hour", () => {
  const { core, saved } = started();
  core.advance(55 * MINUTE_MS, 10_000);
  assertEquals(saved(), 0);
  core.advance(6 * MINUTE_MS, 10_000);
  assertEquals(saved(), 1);
  core.advance(180 * MINUTE_MS, 10_000);
  assertEquals(saved(), 4);
});

Deno.test("a broker that writes saves its age clock once a minute", () => {
  const { core, saved } = started();
  const client = core.connect();
  for (let i = 0; i < 60; i++) {
    client.publish("t", `${i}`, { qos: 1, retain: true });
    core.advance(10_000, 1_000);
  }
  const times = saved();
  assertEquals(times >= 9 && times <= 10, true, `${times} times in 10 minutes`);
});

Deno.test("a wall clock that was set is saved once, at once", () => {
  const { core, saved } = started();
  core.wallMs += 2_000; // less than a jump
  core.advance(1_000);
  assertEquals(saved(), 0);
  for (const jumpMs of [3_000, -100_000, 100_000]) {
    core.wallMs += jumpMs;
    core.advance(1_000);
  }
  assertEquals(saved(), 3);
});
