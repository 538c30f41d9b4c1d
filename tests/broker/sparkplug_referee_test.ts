/** The core with the referee in it: verdicts are carried out. */
import { assertEquals, assertThrows } from "@std/assert";
import type { ClientFacts, SparkplugPolicy } from "../../src/broker/mod.ts";
import type { PublishPacket, Qos } from "../../src/mqtt/mod.ts";
import {
  REFEREE_DEFAULTS,
  type RefereeOptions,
  SparkplugJudging,
} from "../../src/sparkplug/judging.ts";
import { metric, payload } from "../sparkplug/_encode.ts";
import { CODEC } from "../sparkplug/_plant.ts";
import { name } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** Timestamps are judged elsewhere. */
const ANY_TIME_MS = Number.MAX_SAFE_INTEGER;
const BD_SEQ = metric({ name: "bdSeq", timestamp: 1e12, type: 4, value: [11, 0] });
const REBIRTH = metric({
  name: "Node Control/Rebirth",
  timestamp: 1e12,
  type: 11,
  value: [14, false],
});
const SPEED = metric({ name: "Speed", timestamp: 1e12, type: 3, value: [10, 5] });
const BIRTH = payload({ timestamp: 1e12, seq: 0, metrics: [BD_SEQ, REBIRTH, SPEED] });
const WILL = {
  topic: name("spBv1.0/G/NDEATH/E"),
  payload: payload({ metrics: [BD_SEQ] }),
  qos: 1 as Qos,
  retain: false,
};

function judged(options: Partial<RefereeOptions>) {
  const settings = { ...REFEREE_DEFAULTS, timestampWindowMs: ANY_TIME_MS, ...options };
  const awareness = { retainLive: true, ndeathTimestamp: false };
  const policy = new SparkplugJudging<ClientFacts>(CODEC, { ...awareness, ...settings });
  const sparkplug: SparkplugPolicy = policy;
  const core = new Core({ sparkplug });
  const host = core.connect({ clientIdentifier: "host" });
  host.subscribe("spBv1.0/#", 1);
  return { core, host, referee: policy.referee.referee };
}

function join(core: Core, clientIdentifier = "node", will: Partial<typeof WILL> = {}): FakeClient {
  const node = core.connect({ clientIdentifier, will: { ...WILL, ...will } });
  node.subscribe("spBv1.0/G/NCMD/E", 1);
  return node;
}

function message(
  type: string,
  bytes: Uint8Array,
  how: { qos?: Qos; retain?: boolean } = {},
): PublishPacket {
  const { qos = 0, retain = false } = how;
  const topic = name(`spBv1.0/G/${type}/E`);
  const packetId = qos === 0 ? 0 : 9;
  return { type: "PUBLISH", dup: false, qos, retain, topic, packetId, payload: bytes };
}

function data(seq: number, metricName = "Speed"): Uint8Array {
  const one = metric({ name: metricName, timestamp: 1e12, value: [10, seq] });
  return payload({ timestamp: 1e12, seq, metrics: [one] });
}

function heard(host: FakeClient): string[] {
  return host.takeMessages().map(({ topic, retain, qos }) =>
    `${topic.split("/")[2]} ${qos} ${retain}`
  );
}

Deno.test("monitor mode lets everything pass and counts", () => {
  const { core, host, referee } = judged({ mode: "monitor" });
  const node = join(core);
  node.send(message("NBIRTH", BIRTH, { retain: true }), message("NDATA", data(1, "Nobody")));
  node.send(message("NDATA", data(7)), message("NDATA", data(8)));
  assertEquals(heard(host), ["NBIRTH 0 false", "NDATA 0 false", "NDATA 0 false", "NDATA 0 false"]);
  const rules = new Set(referee.violations.latest("G/E").map(({ rule }) => rule));
  assertEquals(rules, new Set(["nbirthRetain", "ndataKnown", "ndataSeqNext"] as const));
});

Deno.test("strict mode withholds, puts right and refuses, and the core does so", () => {
  const { core, host, referee } = judged({ mode: "strict" });
  const node = join(core, "node", { retain: true, qos: 0 });
  node.send(message("NBIRTH", BIRTH, { retain: true }));
  assertEquals(heard(host), ["NBIRTH 0 false"]);
  // The birth was not retained on its own topic.
  const late = core.connect({ clientIdentifier: "late" });
  late.subscribe("spBv1.0/#");
  assertEquals(late.takeMessages(), []);
  node.send(message("NDATA", data(1, "Nobody"), { qos: 1 }), message("NDATA", data(2)));
  assertEquals(heard(host), []);
  assertEquals(node.types.at(-1), "PUBACK");
  node.send(message("NBIRTH", BIRTH), message("NDATA", data(1)));
  assertEquals(heard(host), ["NBIRTH 0 false", "NDATA 0 false"]);

  assertThrows(() => join(core, "rival"), Error, "CONNACK 5");
  node.lose();
  assertEquals(heard(host), ["NDEATH 1 false"]);
  assertEquals(referee.topology().nodes[0]!.online, false);
});

Deno.test("a closing breach closes, and the Will goes out", () => {
  const { core, host } = judged({ mode: "strict" });
  const node = join(core);
  const other = metric({ name: "bdSeq", timestamp: 1e12, type: 4, value: [11, 9] });
  const birth = payload({ timestamp: 1e12, seq: 0, metrics: [other, REBIRTH, SPEED] });
  node.send(message("NBIRTH", birth));
  assertEquals(heard(host), ["NDEATH 1 false"]);
});
