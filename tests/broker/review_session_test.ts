/** Regressions: sessions whose end is on its way to the disk, or that a crash left behind. */
import { assertEquals, assertGreater } from "@std/assert";
import { MemoryStore } from "../../src/store/mod.ts";
import { Core } from "./_core.ts";
import { DelayedStore } from "./_delayed_store.ts";
import type { FakeClient } from "./_fake_client.ts";

function connecting(core: Core, cleanSession: boolean): FakeClient {
  const client = core.open();
  client.sendConnect({ clientIdentifier: "a", cleanSession });
  return client;
}

/** A stored session of "a" that is durable. */
function storedSession(): { core: Core; store: DelayedStore } {
  const store = new DelayedStore();
  const core = new Core({ store });
  const client = connecting(core, false);
  core.release(store.sealed);
  client.take("CONNACK");
  client.disconnect();
  core.release(store.sealed);
  return { core, store };
}

Deno.test("the CONNACK of Clean Session 1 waits for the end of the stored session [MQTT-3.1.2-6]", () => {
  const { core, store } = storedSession();
  const client = connecting(core, true);
  assertEquals(client.types, []);
  core.release(store.sealed);
  assertEquals(client.take("CONNACK").sessionPresent, false);
});

Deno.test("a second CONNECT with Clean Session 1 waits for the end of the stored session, too [MQTT-3.1.2-6]", () => {
  const { core, store } = storedSession();
  const before = store.sealed;
  connecting(core, true).lose();
  const second = connecting(core, true);
  assertEquals(second.types, []);
  const third = connecting(core, true); // takes over
  core.release(before);
  assertEquals([second.types, third.types], [[], []]);
  core.release(store.sealed);
  assertEquals(third.types, ["CONNACK"]);
});

Deno.test("Clean Session 1 of an identifier whose session is durably gone does not wait", () => {
  const { core, store } = storedSession();
  const client = connecting(core, true);
  core.release(store.sealed);
  client.disconnect();
  const { records } = store.journal;
  assertEquals(connecting(core, true).types, ["CONNACK"]);
  assertEquals(store.journal.records, records);
});

Deno.test("Clean Session 1 of another identifier does not wait for the end of a session", () => {
  const { core } = storedSession();
  connecting(core, true).lose();
  assertEquals(core.connect({ clientIdentifier: "b" }).sessionPresent, false);
});

Deno.test("a session that was connected at a crash is stored since the restart, durably", () => {
  const store = new MemoryStore();
  new Core({ store }).connect({ clientIdentifier: "gone", cleanSession: false });
  assertEquals(store.load().sessions.map((s) => s.storedSinceMs), [0]);
  const core = new Core({ store });
  assertEquals(store.load().sessions.map((s) => s.storedSinceMs), [core.wallMs]);
});

Deno.test("a session that was connected at a crash expires however often the broker restarts", () => {
  const store = new MemoryStore();
  let core = new Core({ store });
  core.connect({ clientIdentifier: "gone", cleanSession: false });
  assertGreater(core.limits.sessionExpiryMs, 3_000_000);
  for (let restart = 0; restart < 3; restart++) {
    core = new Core({ store, wallMs: core.wallMs });
    core.advance(3_000_000, 100_000);
  }
  assertEquals(core.statistics.sessions, 0);
  assertEquals(store.load().sessions, []);
});
