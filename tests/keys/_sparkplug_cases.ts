/** Keys of the table about Sparkplug. */
import { assertEquals } from "@std/assert";
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
  "sparkplug.ndeath_timestamp": async () => {
    assertEquals((await outcome({ ndeathTimestamp: false })).isStamped, false);
  },
};
