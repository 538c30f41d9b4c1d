/** The demo plant, for a moment: the report finds the Edge Node that misbehaves, and no other. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Rounds, so that each mistake is made once, and milliseconds between two. */
const SHORT = ["7", "30"];

/** What the misbehaving Edge Node does, by what it breaks. */
const MISTAKES = [
  "tck-id-payloads-sequence-num-incrementing",
  "tck-id-operational-behavior-data-publish-dbirth",
  "tck-id-payloads-metric-datatype-value",
  "tck-id-payloads-ddata-order",
  "tck-id-payloads-ddata-qos",
  "tck-id-payloads-ddata-retain",
  "tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311",
];

Deno.test("the demo shows who misbehaves, by rule, and that the others do not", async () => {
  const args = ["task", "demo:sparkplug", ...SHORT];
  const options = { cwd: ROOT, args, stdout: "piped", stderr: "null" } as const;
  const signal = AbortSignal.timeout(120_000);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { ...options, signal }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  assertEquals(code, 0);
  const titles = lines.filter((line) => line.startsWith("Demo plant/"));
  const grades = titles.map((title) => title.replace(/ \(.*/, ""));
  assertEquals(grades, [
    "Demo plant/Line 1: conforming",
    "Demo plant/Line 2: conforming",
    "Demo plant/Line 3: violations",
  ]);
  const broken = new Set(lines.flatMap((line) => {
    return /^ {2}(?:fatal|error|warn |info ) +\d+ x (\S+)$/.exec(line)?.[1] ?? [];
  }));
  for (const id of MISTAKES) assert(broken.has(id), id);
  // Three births, five Devices each; what the broker counted on the way says the same.
  const counters = new Map(lines.flatMap((line) => {
    const [, topic, value] = /^ {2}(\S.*?) +(\d+)$/.exec(line) ?? [];
    return topic === undefined ? [] : [[topic, Number(value)] as const];
  }));
  assertEquals([counters.get("births"), counters.get("deaths")], [18, 18]);
  const subjects = [...counters.keys()].filter((topic) => topic.startsWith("violations/"))
    .map((topic) => topic.split("/").slice(2).join("/"));
  assertEquals(new Set(subjects), new Set(["Demo plant/Line 3", ""]));
});
