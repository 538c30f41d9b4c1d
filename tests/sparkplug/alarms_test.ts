/** Alarms: which breaches are some, and a web server that takes none. */
import { assertEquals } from "@std/assert";
import { SparkplugAlarms } from "../../src/_server_sparkplug_alarms.ts";

const RULES = {
  nodeUnique: { ids: ["one", "two"], severity: "fatal" },
  ndataSeq: { ids: ["three"], severity: "error" },
} as const;

function breach(subject: string, timeMs: number, rule = "nodeUnique") {
  return { rule, subject, clientIdentifier: "second", detail: "d", timeMs };
}

function nobody(): void {
  throw new Error("nothing is sent");
}

Deno.test("an alarm is a fatal breach, of one Edge Node once a minute", () => {
  const alarms = new SparkplugAlarms(RULES, "");
  const subjects = (breaches: ReturnType<typeof breach>[]) =>
    alarms.round(breaches, nobody).map((alarm) => JSON.parse(alarm).subject);
  assertEquals(subjects([breach("E", 1000), breach("F", 1000), breach("E", 1000, "ndataSeq")]), [
    "E",
    "F",
  ]);
  assertEquals(subjects([breach("E", 60_999)]), []);
  assertEquals(subjects([breach("E", 61_000)]), ["E"]);
  assertEquals(subjects([breach("E", 500)]), ["E"]); // the clock was set back
  const many = Array.from({ length: 3000 }, (_, i) => breach(`N${i}`, 70_000));
  assertEquals(subjects(many).length, 3000);
  assertEquals(alarms.raised, 3004);
  assertEquals(alarms.untold, 0);
});

Deno.test("a web server that refuses is told of in the log once, and what waits has a bound", async () => {
  let asked = 0;
  const web = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    asked++;
    return new Response(null, { status: 503 });
  });
  const alarms = new SparkplugAlarms(RULES, `http://127.0.0.1:${web.addr.port}/`);
  const failures: string[] = [];
  const many = Array.from({ length: 100 }, (_, i) => breach(`N${i}`, 1000));
  alarms.round(many, (reason) => failures.push(reason));
  const deadline = performance.now() + 20_000;
  while (alarms.untold < 100 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // One that is being sent and 64 that wait; the others are too many.
  assertEquals([asked, alarms.untold, failures], [65, 100, ["status 503"]]);
  alarms.stop();
  await web.shutdown();
});
