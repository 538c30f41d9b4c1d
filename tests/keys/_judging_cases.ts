/** Keys about the referee. */
import { assert, assertEquals } from "@std/assert";
import type { ConfigChanges } from "../support/test_broker.ts";
import { text, WireClient } from "../support/wire_client.ts";
import { act } from "../sparkplug/wire/_pair.ts";
import { Script } from "../sparkplug/wire/_script.ts";
import { Stage } from "../sparkplug/wire/_stage.ts";
import type { KeyCases } from "./_cases.ts";

type Changes = NonNullable<ConfigChanges["sparkplug"]>;

const TREE = "$SYS/broker/sparkplug/";
const MARKER = "spBv1.0/marker/FOO/x";

/** What a broker in monitor mode shows of this under these changes. */
async function judged(changes: Changes, what: (script: Script) => void) {
  await using stage = await Stage.open({ mode: "monitor", ...changes });
  await act(stage, new Script(), what);
  const counters = changes.countersMax === undefined ? await stage.counters(MARKER) : new Map();
  const { broker: { port }, outcomes, delivered } = stage;
  using reader = await WireClient.connect(port);
  await reader.subscribe(`${TREE}#`);
  // One round more, so that all of it is there.
  const topics = new Map<string, string>();
  await new Promise((resolve) => setTimeout(resolve, 250));
  for (const packet of await reader.drain()) {
    if (packet.type !== "PUBLISH") continue;
    topics.set(packet.topic.slice(TREE.length), text(packet.payload));
  }
  return { counters, topics, outcomes, delivered: delivered.map(({ topic }) => String(topic)) };
}

function count(counters: Map<string, number>, id: string): number {
  return counters.get(`tck-id-${id}`) ?? 0;
}

/** Entries of a capture that this leaves. */
async function captured(changes: Changes): Promise<string[]> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const captureFile = `${directory}/capture`;
  const recorded = { captureFile, recordedMessagesMax: 100, ...changes };
  await judged(recorded, (s) => {
    s.bornDevice();
    for (let i = 0; i < 10; i++) s.ndata();
  });
  const lines = (await Deno.readTextFile(captureFile)).trim().split("\n");
  await Deno.remove(directory, { recursive: true });
  return lines;
}

async function duplicate(onDuplicate: Changes["onDuplicate"] & string) {
  const { outcomes } = await judged({ mode: "strict", onDuplicate }, (s) => {
    s.bornNode({ id: "first" });
    s.join({ id: "second" });
  });
  return outcomes;
}

/** Cases by key. */
export const judgingCases: KeyCases = {
  "sparkplug.overrides": async () => {
    const wrong = (s: Script) => s.bornNode().ndata({ qos: 1 });
    const strict = await judged({ mode: "strict" }, wrong);
    assertEquals([strict.outcomes.at(-1), count(strict.counters, "payloads-ndata-qos")], [
      "count",
      1,
    ]);
    const drop = { mode: "strict", overrides: "payloads-ndata-qos=drop" } as const;
    assertEquals((await judged(drop, wrong)).outcomes.at(-1), "drop");
    const off = { overrides: "tck-id-payloads-ndata-qos=off topics-ndata-mqtt=off" };
    assertEquals(count((await judged(off, wrong)).counters, "payloads-ndata-qos"), 0);
  },
  "sparkplug.on_duplicate": async () => {
    assertEquals(await duplicate("reject_new"), ["count", "count", "drop"]);
    assertEquals(await duplicate("take_over"), ["count", "count", "count"]);
  },
  "sparkplug.other_types": async () => {
    const topics = ["spBv1.0/G/NRECORD/E", "spBv1.0/G/DRECORD/E/D", "spBv1.0/G/NRECORD"];
    const passed = async (otherTypes: string) => {
      const { delivered } = await judged({ mode: "strict", otherTypes }, (s) => {
        for (const topic of topics) s.bornNode().send(topic, Uint8Array.of(1));
      });
      return topics.filter((topic) => delivered.includes(topic));
    };
    assertEquals(await passed(""), []);
    assertEquals(await passed("NRECORD DRECORD"), topics.slice(0, 2));
  },
  "sparkplug.rebirth_requests": async () => {
    for (const rebirthRequests of [true, false]) {
      await using stage = await Stage.open({ mode: "monitor", rebirthRequests });
      const script = new Script();
      await act(stage, script, (s) => s.bornNode().ndata({ seq: 77 }));
      await new Promise((resolve) => setTimeout(resolve, 3500));
      const heard = (await stage.socketOf(script.edge)!.drain()).map(({ type }) => type);
      assertEquals(heard, rebirthRequests ? ["PUBLISH"] : []);
    }
  },
  "sparkplug.synthesize_deaths": async () => {
    for (const synthesizeDeaths of [true, false]) {
      const { delivered } = await judged({ synthesizeDeaths }, (s) => {
        s.leave(s.bornNode().edge, true);
      });
      assertEquals(delivered.includes("spBv1.0/G/NDEATH/E"), synthesizeDeaths);
    }
  },
  "sparkplug.report_by_exception": async () => {
    for (const reportByException of [true, false]) {
      const { counters } = await judged({ reportByException }, (s) => {
        s.bornNode().ndata();
        s.ndata();
      });
      assertEquals(count(counters, "principles-rbe-recommended") > 0, reportByException);
    }
  },
  "sparkplug.timestamp_window_ms": async () => {
    for (const timestampWindowMs of [1_000_000, 2_000_000]) {
      const { counters } = await judged({ timestampWindowMs }, (s) => {
        s.bornNode().ndata({ timestamp: s.nowMs - 1_500_000 });
      });
      assertEquals(count(counters, "payloads-timestamp-in-UTC"), timestampWindowMs < 1.5e6 ? 1 : 0);
    }
  },
  "sparkplug.nodes_max": async () => {
    const { topics } = await judged({ nodesMax: 2 }, (s) => {
      for (const node of ["A", "B", "C"]) s.bornNode({ node });
    });
    assertEquals([topics.get("nodes/known"), topics.get("not-judged/nodes") !== "0"], ["2", true]);
  },
  "sparkplug.devices_per_node_max": async () => {
    const { topics } = await judged({ devicesPerNodeMax: 2 }, (s) => {
      s.bornNode();
      for (const device of ["A", "B", "C"]) s.dbirth({ device, metrics: [s.temperature(true)] });
    });
    assertEquals([topics.get("devices/online"), topics.get("not-judged/devices")], ["2", "1"]);
  },
  "sparkplug.metrics_per_node_max": async () => {
    const { topics } = await judged({ metricsPerNodeMax: 3 }, (s) => s.bornNode());
    assertEquals(topics.get("not-judged/metrics"), "1"); // of four
    const wide = await judged({ metricsPerNodeMax: 4 }, (s) => s.bornNode());
    assertEquals(wide.topics.get("not-judged/metrics"), "0");
  },
  "sparkplug.hosts_max": async () => {
    const { topics } = await judged({ hostsMax: 1 }, (s) => {
      s.joinHost();
      const payload = new TextEncoder().encode(`{"online":false,"timestamp":${s.nowMs}}`);
      s.joinHost({ id: "another", will: { topic: "spBv1.0/STATE/I", payload } });
    });
    assertEquals(topics.get("not-judged/hosts"), "1");
  },
  "sparkplug.counters_max": async () => {
    for (const countersMax of [0, 1]) {
      const { topics } = await judged({ countersMax }, (s) => s.bornNode().ndata({ qos: 1 }));
      const shown = [...topics.keys()].filter((topic) => topic.startsWith("violations/"));
      assertEquals(shown.length, countersMax);
      assertEquals(topics.get("violations-unshown"), countersMax === 0 ? undefined : "1");
    }
  },
  "sparkplug.topology": async () => {
    for (const topology of [true, false]) {
      const { topics } = await judged({ topology }, (s) => s.bornNode());
      assertEquals(topics.has("topology/nodes/G/E"), topology);
    }
  },
  "sparkplug.json": async () => {
    for (const json of [true, false]) {
      await using stage = await Stage.open({ mode: "monitor", json });
      using reader = await WireClient.connect(stage.broker.port);
      await reader.subscribe("$sparkplug/json/#");
      await act(stage, new Script(), (s) => s.bornNode());
      await new Promise((resolve) => setTimeout(resolve, 100));
      assertEquals((await reader.drain()).length, json ? 1 : 0);
    }
  },
  "sparkplug.recorded_messages_max": async () => {
    const all = await captured({});
    const few = await captured({ recordedMessagesMax: 3 });
    assert(few.length < all.length, `${few.length} of ${all.length}`);
    assert(few.some((line) => line.includes(`"gap"`)));
  },
  "sparkplug.recorded_bytes_max": async () => {
    const few = await captured({ recordedBytesMax: 2_500 });
    assert(few.length < (await captured({})).length);
  },
  "sparkplug.alarm_url": async () => {
    const told: string[] = [];
    const web = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        told.push(`${request.method} ${await request.text()}`);
        return new Response();
      },
    );
    for (const alarmUrl of ["", `http://127.0.0.1:${web.addr.port}/`]) {
      await using stage = await Stage.open({ mode: "monitor", alarmUrl });
      using reader = await WireClient.connect(stage.broker.port);
      await reader.subscribe(`${TREE}alarm`);
      await act(stage, new Script(), (s) => {
        s.bornNode({ id: "first" });
        s.join({ id: "second" });
        s.join({ id: "third" }); // of the same within a minute nobody is told
      });
      const alarm = JSON.parse(text((await reader.receiveMessage()).payload));
      assertEquals([alarm.subject, alarm.client_id], ["G/E", "second"]);
      assert(alarm.rules.includes("tck-id-intro-edge-node-id-uniqueness"), String(alarm.rules));
      const deadline = performance.now() + 10_000;
      while (alarmUrl !== "" && told.length === 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertEquals(told, alarmUrl === "" ? [] : [`POST ${JSON.stringify(alarm)}`]);
      assertEquals(await reader.drain(), []);
    }
    await web.shutdown();
  },
  "sparkplug.capture_file": async () => {
    const lines = await captured({});
    assertEquals(JSON.parse(lines[0]!).format, "relayq-sparkplug-capture");
    assertEquals(lines.filter((line) => line.includes("/NDATA/")).length, 10);
  },
  "sparkplug.capture_interval_ms": async () => {
    const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
    for (const captureIntervalMs of [100, 3_600_000]) {
      const captureFile = `${directory}/${captureIntervalMs}`;
      const changes = { captureFile, captureIntervalMs, recordedMessagesMax: 5 };
      await using stage = await Stage.open({ mode: "monitor", ...changes });
      await act(stage, new Script(), (s) => s.bornNode());
      const hears = () =>
        Deno.readTextFile(captureFile).then((t) => t.includes("NBIRTH"), () => false);
      const deadline = performance.now() + (captureIntervalMs === 100 ? 10_000 : 2_500);
      let found = await hears();
      while (!found && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        found = await hears();
      }
      assertEquals(found, captureIntervalMs === 100);
    }
    await Deno.remove(directory, { recursive: true });
  },
};
