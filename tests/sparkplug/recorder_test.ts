/** Recorded traffic, judged again offline. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  captureText,
  judgeCapture,
  parseCapture,
  REFEREE_DEFAULTS,
  reportsOf,
  reportText,
} from "../../src/sparkplug/judging.ts";
import { CODEC, Plant } from "./_plant.ts";

function replayed(plant: Plant, key = "G/E") {
  const text = captureText(plant.referee.recorder!.entries(key));
  const entries = parseCapture(text);
  if ("problem" in entries) throw new Error(entries.problem);
  return judgeCapture(entries, CODEC, REFEREE_DEFAULTS);
}

Deno.test("a capture that is judged again gives the same counts", () => {
  const plant = new Plant({ recordedMessagesMax: 100 });
  plant.bornDevice({ will: { qos: 0 } });
  plant.ndata({ qos: 1 });
  plant.ddata({ seq: 77 });
  plant.wait(2000);
  plant.leave(plant.edge);
  const counts = Object.fromEntries(plant.referee.violations.countsOf("G/E"));
  assertEquals(Object.fromEntries(replayed(plant).violations.countsOf("G/E")), counts);
  assert(Object.keys(counts).length > 5);
});

Deno.test("what left the ring is summed up: a long capture of a good node finds nothing", () => {
  const plant = new Plant({ recordedMessagesMax: 10 }).bornDevice();
  for (let i = 0; i < 500; i++) {
    plant.wait(100);
    if (i % 3 === 0) plant.ndata();
    else plant.ddata();
  }
  const entries = plant.referee.recorder!.entries("G/E");
  assert(entries.length < 20, `${entries.length} entries`);
  assertEquals(entries.map(({ kind }) => kind).filter((kind) => kind === "gap").length, 1);
  assertEquals(replayed(plant).violations.latest(), []);
  plant.ndata({ seq: 3 });
  const found = replayed(plant).violations.latest().map(({ rule }) => rule);
  assertEquals(new Set(found), new Set(["ndataSeqNext"]));
});

Deno.test("what left the ring is summed up: a birth of before the last NBIRTH is none", () => {
  const plant = new Plant({ recordedMessagesMax: 5 }).bornDevice();
  plant.nbirth();
  for (let i = 0; i < 10; i++) plant.ndata();
  plant.ddata();
  const found = replayed(plant).violations.latest().map(({ rule }) => rule);
  assertEquals(new Set(found), new Set(["ddataBeforeBirth"]));
});

Deno.test("commands are in the capture of the node that they go to", () => {
  const plant = new Plant({ recordedMessagesMax: 100 });
  plant.onlineHost().bornNode();
  plant.askRebirth();
  plant.wait(3000);
  plant.ndata();
  const found = replayed(plant).violations.latest().map(({ rule }) => rule);
  assertEquals(found, ["rebirthStops"]);
});

Deno.test("records stay within their bytes", () => {
  const plant = new Plant({ recordedMessagesMax: 1000, recordedBytesMax: 20_000 });
  const recorder = plant.referee.recorder!;
  for (const node of ["E1", "E2", "E3"]) {
    plant.bornNode({ node });
    for (let i = 0; i < 200; i++) plant.ndata();
    assert(recorder.bytes <= 20_000, `${recorder.bytes} bytes`);
    assert(recorder.bytes > 15_000, `${recorder.bytes} bytes`);
    // The node that was silent for the longest time makes room.
    assertEquals(recorder.nodes.at(-1), `G/${node}`);
  }
  assertEquals(recorder.unrecorded, 0);
  plant.ndata({ bytes: new Uint8Array(30_000) });
  assertEquals([recorder.unrecorded, recorder.nodes], [1, ["G/E3"]]);
  for (const key of recorder.nodes) recorder.forget(key);
  assertEquals([recorder.bytes, recorder.nodes.length], [0, 0]);
});

Deno.test("a file that is no capture is refused with its line", () => {
  const head = '{"format":"relayq-sparkplug-capture","version":1}\n';
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /^line 1: this is no Sparkplug capture/],
    ["{}", /^line 1: this is no Sparkplug capture/],
    [head.replace("1}", "2}"), /^line 1: unknown version 2/],
    [head + "nonsense\n", /^line 2: not a JSON object/],
    [head + '\n{"kind":"x"}', /^line 3: unknown kind "x"/],
    [head + '{"kind":"close","client":"a"}', /^line 2: timeMs is missing/],
    [head + '{"kind":"subscribe","client":"a"}', /^line 2: filter is missing/],
    [head + '{"kind":"publish","client":"a","timeMs":1,"topic":"t"}', /^line 2: topic or payload/],
    [head + '{"kind":"will","timeMs":1,"topic":"t","payload":{"base64":"!"}}', /^line 2: not a/],
    [head + '{"kind":"connect","client":"a","timeMs":1,"will":5}', /^line 2: will is not one/],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseCapture(text);
    assertMatch("problem" in parsed ? parsed.problem : "read", expected, text);
  }
});

Deno.test("the report grades each node and names what it broke, worst first", () => {
  const plant = new Plant();
  plant.bornNode({ node: "Good" });
  plant.ndata();
  plant.bornNode({ node: "Loose" });
  plant.ndata({ qos: 1 });
  plant.bornNode({ node: "Bad\u001b[2J" });
  plant.ndata({ qos: 1 });
  plant.ndata({ seq: 50 });
  const reports = reportsOf(plant.referee);
  assertEquals(reports.map(({ grade }) => grade), ["conforming", "remarks", "violations"]);
  assertEquals(reports[0]!.rows, []);
  assertEquals(reports[2]!.rows[0]!.severity, "error");
  const text = reportText(reports);
  assertStringIncludes(text, "G/Good: conforming (2 messages");
  assertStringIncludes(text, "1 x tck-id-payloads-ndata-qos");
  assertStringIncludes(text, "last: 50 instead of 2");
  assert(!text.includes("\u001b"), "names must not steer the terminal");
  assertEquals(reportText([]), "No Edge Node was seen.\n");
});
