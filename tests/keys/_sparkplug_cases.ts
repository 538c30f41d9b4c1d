/** Keys of the table about Sparkplug. */
import { assertEquals } from "@std/assert";
import { adminBroker, ask, valuesOf } from "../admin/_http_client.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";
import { birth, death, received, send } from "../sparkplug/wire/_traffic.ts";
import type { KeyCases } from "./_cases.ts";

/** Topics and RETAIN of what two births and an NDEATH become under these changes. */
async function outcome(changes: NonNullable<ConfigChanges["sparkplug"]>) {
  await using broker = await TestBroker.start({ sparkplug: changes });
  using host = await WireClient.connect(broker.port);
  await host.subscribe("$sparkplug/#");
  await host.subscribe("spBv1.0/+/NDEATH/#");
  using node = await WireClient.connect(broker.port);
  for (const topic of ["spBv1.0/G/NBIRTH/E", "spBv1.0/G/DBIRTH/E/D"]) {
    await send(node, topic, { payload: birth(1), qos: 1 });
  }
  await send(node, "spBv1.0/G/NDEATH/E", { payload: death(1, 5), qos: 1 });
  const messages = await received(host);
  return {
    kept: broker.server.broker.statistics.certificates,
    live: messages.filter(({ topic }) => topic.startsWith("$")).map(({ retain }) => retain),
    isStamped: messages.at(-1)!.payload[1] !== 5,
  };
}

/** Figures of the last values after two births of an Edge Node and a Device, by the end of their name. */
async function valuesKept(changes: NonNullable<ConfigChanges["sparkplug"]>) {
  await using broker = await adminBroker({ sparkplug: changes });
  using node = await WireClient.connect(broker.port);
  for (const topic of ["spBv1.0/G/NBIRTH/E", "spBv1.0/G/DBIRTH/E/D"]) {
    await send(node, topic, { payload: birth(1), qos: 1 });
  }
  const figures = valuesOf((await ask(broker, "/metrics")).body);
  const name = "relayq_sparkplug_last_values";
  return { kept: figures.get(name), unkept: figures.get(`${name}_unkept_total`) };
}

/** Cases by key. */
export const sparkplugCases: KeyCases = {
  "sparkplug.mode": async () => {
    assertEquals(await outcome({ mode: "off" }), { kept: 0, live: [], isStamped: false });
    assertEquals(await outcome({ mode: "aware" }), {
      kept: 2,
      live: [true, true],
      isStamped: true,
    });
    const stray = async (mode: "monitor" | "strict") => {
      await using broker = await TestBroker.start({ sparkplug: { mode } });
      using client = await WireClient.connect(broker.port);
      await client.publish("spBv1.0/G/FOO/E", "x", { qos: 1 });
      return broker.server.broker.statistics.dropped["sparkplug-refused"];
    };
    assertEquals([await stray("monitor"), await stray("strict")], [0, 1]);
  },
  "sparkplug.retain_live": async () => {
    assertEquals((await outcome({ retainLive: false })).live, [false, false]);
  },
  "sparkplug.certificates_max": async () => {
    assertEquals((await outcome({ certificatesMax: 1 })).kept, 1);
    const { kept, live } = await outcome({ certificatesMax: 0 });
    assertEquals([kept, live], [0, []]);
  },
  "sparkplug.certificates_bytes_max": async () => {
    assertEquals((await outcome({ certificatesBytesMax: 2_000 })).kept, 1);
  },
  "sparkplug.certificates_expiry_ms": async () => {
    for (const certificatesExpiryMs of [0, 1000]) {
      await using broker = await TestBroker.start({ sparkplug: { certificatesExpiryMs } });
      using node = await WireClient.connect(broker.port);
      await send(node, "spBv1.0/G/NBIRTH/E", { payload: birth(1), qos: 1 });
      const { statistics } = broker.server.broker;
      // The age clock has whole seconds; where nothing expires, one look of the broker is enough.
      const deadline = performance.now() + (certificatesExpiryMs === 0 ? 1500 : 30_000);
      while (statistics.certificates > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const expired = certificatesExpiryMs === 0 ? 0 : 1;
      assertEquals([statistics.certificates, statistics.certificatesExpired], [
        1 - expired,
        expired,
      ]);
    }
  },
  "sparkplug.ndeath_timestamp": async () => {
    assertEquals((await outcome({ ndeathTimestamp: false })).isStamped, false);
  },
  "sparkplug.last_values": async () => {
    assertEquals((await valuesKept({ lastValues: false })).kept, undefined);
    for (const mode of ["aware", "monitor"] as const) {
      assertEquals((await valuesKept({ mode, lastValues: true })).kept, 2);
    }
  },
  "sparkplug.last_values_max": async () => {
    const kept = await valuesKept({ lastValues: true, lastValuesMax: 1 });
    assertEquals(kept, { kept: 1, unkept: 1 });
  },
  "sparkplug.last_values_bytes_max": async () => {
    // Room for what is known of the Edge Node and the Device, and for one metric.
    const kept = await valuesKept({ lastValues: true, lastValuesBytesMax: 3_000 });
    assertEquals(kept, { kept: 1, unkept: 1 });
  },
};
