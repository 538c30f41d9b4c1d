/** What the referee does besides counting: owners, withheld data, rebirth requests, back-off, bounds. */
import { assert, assertEquals } from "@std/assert";
import { parseOverrides, type RefereeOptions } from "../../src/sparkplug/judging.ts";
import { json, Plant } from "./_plant.ts";

function overrides(text: string): RefereeOptions["overrides"] {
  const parsed = parseOverrides(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed as RefereeOptions["overrides"];
}

function problemOf(text: string): string {
  const parsed = parseOverrides(text);
  return "problem" in parsed ? parsed.problem as string : "";
}

Deno.test("a second owner is refused in strict mode, and his messages pass in monitor mode", () => {
  const strict = new Plant({ mode: "strict" }).bornNode({ id: "first" });
  strict.join({ id: "second" });
  assertEquals(strict.outcomes.at(-1), "drop");
  strict.join({ id: "first", bdSeq: 1 });
  assertEquals(strict.outcomes.at(-1), "count");

  const monitor = new Plant().bornNode({ id: "first" });
  const first = monitor.edge;
  const second = monitor.join({ id: "second" });
  assertEquals(monitor.nbirth({ client: second }).action, "route");
  // The state is still the first one's.
  assertEquals(monitor.referee.topology().nodes[0]!.clientIdentifier, "first");
  monitor.leave(first, false);
  monitor.nbirth({ client: second });
  assertEquals(monitor.referee.topology().nodes[0]!.clientIdentifier, "second");
});

Deno.test("onDuplicate takeOver closes the old owner and lets the new one in", () => {
  const plant = new Plant({ mode: "strict", onDuplicate: "takeOver" }).bornNode({ id: "first" });
  const first = plant.edge;
  const will = {
    topic: "spBv1.0/G/NDEATH/E",
    payload: new Uint8Array(0),
    qos: 1,
    retain: false,
  } as const;
  const faulty = plant.referee.connected(
    { clientIdentifier: "faulty", cleanSession: true, will },
    plant.nowMs,
  );
  assertEquals([faulty.refuse, faulty.close], [true, null]);
  const second = plant.join({ id: "second", bdSeq: 1 });
  plant.leave(first, false);
  plant.announce("spBv1.0/G/NDEATH/E", new Uint8Array(0));
  assertEquals(plant.nbirth({ client: second }).action, "route");
  plant.announce("spBv1.0/G/NDEATH/E", new Uint8Array(0)); // however late it comes
  const [node] = plant.referee.topology().nodes;
  assertEquals([node!.clientIdentifier, node!.online], ["second", true]);
});

Deno.test("a Will in the retired namespace keeps nobody out", () => {
  const plant = new Plant({ mode: "strict" });
  plant.join({ will: { topic: "spAv1.0/G/NDEATH/E" } });
  assertEquals(plant.outcomes, ["count"]);
});

Deno.test("after a withheld message nothing passes until the next NBIRTH", () => {
  const plant = new Plant({ mode: "strict", rebirthRequests: true }).bornDevice();
  const metrics = [{ name: "Nobody", timestamp: plant.nowMs, value: [10, 1] as const }];
  assertEquals(plant.ndata({ metrics }).action, "drop");
  assertEquals(plant.ndata().action, "drop");
  assertEquals(plant.ddata().action, "drop");
  const [node] = plant.referee.topology().nodes;
  assertEquals([node!.needsRebirth, node!.withheld], [true, 2]);
  assertEquals(plant.nbirth().action, "route");
  assertEquals(plant.dbirth().action, "route");
  assertEquals(plant.ndata().action, "route");
});

Deno.test("a metric keeps the datatype of its birth, also where the value stands in the same field", () => {
  for (
    const [type, rules] of [[7, ["dataTypeSuperfluous"]], [3, [
      "dataTypeSuperfluous",
      "valueField",
    ]]] as const
  ) {
    const plant = new Plant().bornNode();
    // Twice: what was learnt of the first one holds for the second.
    for (const value of [1, 2]) {
      plant.ndata({
        metrics: [{ name: "Count", timestamp: plant.nowMs, type, value: [10, value] }],
      });
    }
    const broken = new Set(plant.referee.violations.latest().map(({ rule }) => rule));
    assertEquals([...broken].toSorted(), [...rules]);
    assertEquals(plant.referee.violations.total, 2 * rules.length);
  }
});

Deno.test("what strict mode withholds is asked for again, whatever the switch says", () => {
  for (const mode of ["strict", "monitor"] as const) {
    const plant = new Plant({ mode, rebirthRequests: false }).bornDevice();
    plant.nowMs += 5000;
    plant.ndata({ seq: 99 }); // passes, and leaves it to the hosts
    assertEquals(plant.referee.tick(plant.nowMs), []);
    plant.seq = 100;
    plant.ndata({ metrics: [{ name: "Nobody", timestamp: plant.nowMs, value: [10, 1] }] });
    const asked = plant.referee.tick(plant.nowMs + 1000).map(({ cause }) => cause);
    assertEquals(asked, mode === "strict" ? ["ndataKnown"] : []);
  }
  const early = new Plant({ mode: "strict", rebirthRequests: false });
  early.join();
  early.ndata();
  assertEquals(early.referee.tick(early.nowMs + 5000).length, 1);
});

Deno.test("a rebirth is asked for once, later again and more rarely, and not of who does not listen", () => {
  const plant = new Plant({ rebirthRequests: true }).bornNode();
  const asked: number[] = [];
  const startMs = plant.nowMs;
  for (let second = 0; second < 200; second++) {
    plant.nowMs += 1000;
    plant.ndata({ seq: 99 });
    plant.seq = 0;
    for (const { topic, payload, cause } of plant.referee.tick(plant.nowMs)) {
      assertEquals([topic, cause], ["spBv1.0/G/NCMD/E", "ndataSeqNext"]);
      plant.send(topic, payload, { client: plant.connect("referee", { will: null }) });
      asked.push((plant.nowMs - startMs) / 1000);
    }
  }
  assertEquals(asked, [2, 32, 92]);
  // It is well-formed: what is found is who sent it, and that it says it is a Boolean.
  const about = plant.referee.violations.latest().filter(({ clientIdentifier }) =>
    clientIdentifier === "referee"
  );
  const rules = new Set(about.map(({ rule }) => rule));
  assertEquals(rules, new Set(["dataTypeSuperfluous", "hostUnannounced"] as const));
  plant.nbirth();
  plant.nowMs += 100_000;
  assertEquals(plant.referee.tick(plant.nowMs), []);

  const deaf = new Plant({ rebirthRequests: true }).bornNode({ filters: [] });
  deaf.ndata({ seq: 99 });
  deaf.nowMs += 5000;
  assertEquals(deaf.referee.tick(deaf.nowMs), []);
});

Deno.test("who is born as it was asked to be, and needs it again at once, is not asked every second", () => {
  const plant = new Plant({ rebirthRequests: true }).bornNode();
  const asked: number[] = [];
  const startMs = plant.nowMs;
  for (let second = 0; second < 130; second++) {
    plant.nowMs += 1000;
    plant.ndata({ seq: 99 });
    plant.seq = 0;
    if (plant.referee.tick(plant.nowMs).length === 0) continue;
    asked.push((plant.nowMs - startMs) / 1000);
    plant.nbirth();
  }
  assertEquals(asked, [2, 32, 62, 92, 122]);
  // It is not asked sooner either when it comes back.
  plant.leave(plant.edge);
  plant.bornNode({ bdSeq: 1 });
  plant.ndata({ seq: 99 });
  plant.nowMs += 5000;
  assertEquals(plant.referee.tick(plant.nowMs), []);
  const [node] = plant.referee.topology().nodes;
  assertEquals([node!.rebirthsAsked, node!.lastRebirthCause], [5, "the broker: ndataSeqNext"]);
  assertEquals([...plant.referee.rebirthsByCause], [["ndataSeqNext", 5]]);
});

Deno.test("rebirth requests of all nodes together are spread over time", () => {
  const plant = new Plant({ rebirthRequests: true });
  for (let i = 0; i < 20; i++) {
    plant.join({ node: `E${i}` });
    plant.ndata();
  }
  plant.nowMs += 10_000;
  const counts = Array.from({ length: 5 }, () => {
    plant.nowMs += 1000;
    return plant.referee.tick(plant.nowMs).length;
  });
  assertEquals(counts, [5, 5, 5, 5, 0]);
});

Deno.test("who was closed is kept out for a while, and longer each time", () => {
  const plant = new Plant({ mode: "strict" });
  const outMs: number[] = [];
  for (let round = 0; round < 3; round++) {
    plant.join({ bdSeq: 0 });
    const wrong = [...plant.usual(), plant.bdSeq(9), plant.rebirthMetric()[1]!];
    assertEquals(plant.nbirth({ metrics: wrong }).action, "close");
    plant.leave(plant.edge, false);
    const closedMs = plant.nowMs;
    do {
      plant.nowMs += 500;
      plant.join({ bdSeq: 0 });
      if (plant.outcomes.at(-1) !== "drop") plant.leave(plant.edge, false);
    } while (plant.outcomes.at(-1) === "drop");
    outMs.push(plant.nowMs - closedMs);
  }
  assertEquals(outMs, [5000, 10_000, 20_000]);
});

Deno.test("overrides govern the rules that judge by a statement", () => {
  const soft = overrides("payloads-nbirth-bdseq=count tck-id-payloads-nbirth-qos=fix");
  const plant = new Plant({ mode: "strict", overrides: soft });
  plant.join();
  const verdict = plant.nbirth({ metrics: [...plant.usual(), plant.rebirthMetric()[1]!], qos: 1 });
  assertEquals(verdict, { action: "route", retain: null, qos: 0 });

  const silent = new Plant({ mode: "strict", overrides: overrides("payloads-nbirth-bdseq=off") });
  silent.join();
  silent.nbirth({ metrics: [...silent.usual(), silent.rebirthMetric()[1]!] });
  assertEquals(silent.referee.violations.total, 0);

  const hard = new Plant({ mode: "strict", overrides: overrides("payloads-ndata-qos=close") });
  assertEquals(hard.bornNode().ndata({ qos: 1 }).action, "close");
  const patient = new Plant({
    rebirthRequests: true,
    overrides: overrides("payloads-ndata-seq-inc=count"),
  });
  patient.bornNode().ndata({ seq: 50 });
  patient.nowMs += 60_000;
  assertEquals(patient.referee.tick(patient.nowMs), []);
  const monitor = new Plant({ overrides: overrides("payloads-ndata-qos=close") });
  assertEquals(monitor.bornNode().ndata({ qos: 1 }).action, "route");
});

Deno.test("mistakes in overrides are said", () => {
  assertEquals(problemOf("  "), "");
  assertEquals(
    problemOf("payloads-nbirth-qos"),
    '"payloads-nbirth-qos" is not of the form tck-id=action',
  );
  assert(/^no rule judges by "tck-id.nobody"$/.test(problemOf("nobody=drop")));
  assert(problemOf("payloads-nbirth-qos=kill").startsWith('unknown action "kill"; known: off'));
  assertEquals(problemOf("payloads-nbirth-seq=fix"), "tck-id-payloads-nbirth-seq cannot be fixed");
  const twice = "payloads-nbirth-qos=off tck-id-payloads-nbirth-qos=drop";
  assertEquals(problemOf(twice), "tck-id-payloads-nbirth-qos stands there twice");
});

Deno.test("the Will is published for who leaves without a death, if that is wanted", () => {
  const plant = new Plant({ synthesizeDeaths: true });
  assertEquals(plant.leave(plant.bornNode().edge), true);
  plant.bornNode({ bdSeq: 1 }).ndeath({ metrics: [plant.bdSeq(1)] });
  assertEquals(plant.leave(plant.edge), false);
  assertEquals(plant.leave(plant.onlineHost().host), true);
  const off = new Plant();
  assertEquals(off.leave(off.bornNode().edge), false);
});

Deno.test("bdSeq of before a restart is held against the next one", () => {
  const plant = new Plant();
  plant.referee.restore([{ edgeNode: "G/E", bdSeq: 4 }]);
  plant.join({ bdSeq: 4 });
  assertEquals(plant.referee.violations.latest().map(({ rule }) => rule)[0], "bdSeqAgain");
  assertEquals(plant.referee.topology().nodes[0]!.lastBdSeq, 4);
});

Deno.test("what does not fit is counted and not kept", () => {
  const plant = new Plant({ nodesMax: 2, devicesPerNodeMax: 1, metricsPerNodeMax: 5, hostsMax: 1 });
  plant.bornDevice({ node: "E1" });
  plant.bornDevice({ node: "E2" });
  plant.dbirth({ device: "D2" });
  plant.join({ node: "E3" });
  assertEquals(plant.nbirth().action, "route");
  plant.onlineHost();
  const will = {
    topic: "spBv1.0/STATE/H2",
    payload: json({ online: false, timestamp: plant.nowMs }),
  };
  plant.joinHost({ id: "h2", will });
  const { nodes, hosts, unfit } = plant.referee.topology();
  assertEquals([nodes.length, hosts.length], [2, 1]);
  assertEquals(nodes.map(({ devices }) => devices.length), [1, 1]);
  assertEquals([unfit.nodes > 0, unfit.devices, unfit.metrics, unfit.hosts > 0], [
    true,
    1,
    2,
    true,
  ]);
  // A node that is gone makes room.
  for (const node of plant.referee.topology().nodes) assert(node.connected);
  const gone = new Plant({ nodesMax: 1 });
  gone.bornNode({ node: "E1" });
  gone.leave(gone.edge, false);
  gone.bornNode({ node: "E2" });
  assertEquals(gone.referee.topology().nodes.map(({ name }) => name), ["E2"]);
});

Deno.test("one breach again and again is counted each time and kept once a second", () => {
  const plant = new Plant().bornNode();
  for (let i = 0; i < 100; i++) {
    plant.nowMs += 50;
    plant.ndata({ qos: 1 });
  }
  const counts = plant.referee.violations.countsOf("G/E");
  assertEquals(counts.get("tck-id-payloads-ndata-qos"), 100);
  assertEquals(plant.referee.violations.latest("G/E").length, 2 * 5);
});

Deno.test("the topology shows groups, nodes, devices, metrics and hosts", () => {
  const plant = new Plant();
  plant.onlineHost();
  const filters = [["spBv1.0/G/NCMD/E", 1], ["spBv1.0/G/DCMD/E/#", 1], ["spBv1.0/STATE/H", 1]];
  plant.bornDevice({ bdSeq: 3, filters: filters as [string, number][] });
  plant.ddata();
  const { nodes, hosts } = plant.referee.topology();
  const [node] = nodes;
  assertEquals(
    [node!.group, node!.name, node!.connected, node!.online, node!.bdSeq, node!.seq],
    ["G", "E", true, true, 3, 2],
  );
  assertEquals(node!.primaryHost, "H");
  assertEquals(node!.metrics.map(({ name }) => name), [
    "Temperature",
    "Count",
    "bdSeq",
    "Node Control/Rebirth",
  ]);
  const [device] = node!.devices;
  assertEquals(device!.metrics[1], { name: "Count", alias: "2", dataType: "UInt32" });
  assertEquals([device!.online, device!.messages], [true, 1]);
  assertEquals(hosts[0], {
    name: "H",
    connected: true,
    clientIdentifier: "client of H",
    online: true,
    timestamp: plant.nowMs,
    births: 1,
    deaths: 0,
    watchedBy: ["G/E"],
    violations: {},
  });
  const topic = { kind: "topic", version: "spBv1.0", type: "DDATA", host: null } as const;
  const about = { ...topic, group: "G", node: "E", device: "D" };
  const named = (alias: bigint) => plant.referee.bornMetric(about, { name: null, alias });
  assertEquals([named(2n)?.name, named(2n)?.dataType, named(9n)], ["Count", 7, null]);
  const byName = plant.referee.bornMetric(about, { name: "Temperature", alias: null });
  assertEquals(byName?.dataType, 9);
  plant.leave(plant.edge, false);
  const [left] = plant.referee.topology().nodes;
  assertEquals([left!.online, left!.lastDeathCause], [false, "connection lost"]);
});
