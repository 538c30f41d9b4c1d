/** `relayq bench` against a real broker. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { runTool } from "./_tools.ts";

Deno.test("bench counts what goes through a broker, at each QoS, and loses nothing", async () => {
  await using broker = await TestBroker.start();
  const args = ["bench", "-p", String(broker.port), "--pairs", "3", "--seconds", "0.3", "--json"];
  for (const [qos, more] of [["0", ["--rate", "300"]], ["1", []], ["2", ["--window", "5"]]]) {
    const { code, out } = await runTool([...args, "-q", qos as string, ...more!]);
    const figures = JSON.parse(out);
    const { sent, received, lost, disorder, acknowledged, latency_ms } = figures;
    assertEquals([code, received, lost, disorder], [0, sent, 0, 0]);
    assertEquals(acknowledged, qos === "0" ? 0 : sent);
    // On a machine that stands still for a second there is nothing to tell.
    if (latency_ms.p50 === null) continue;
    assert(latency_ms.p50 > 0 && latency_ms.p50 <= latency_ms.p99);
    assert(latency_ms.p99 <= latency_ms.max);
    if (qos === "0") assert(sent <= 3 * (0.8 * 300 + 1), `${sent} at a rate of 300 for 0.8 s`);
  }
  const { out } = await runTool([...args.slice(0, -1), "--size", "2000", "--rate", "50"]);
  assertMatch(out, /^load +3 pairs, QoS 0, 2,000 bytes, 50 msg\/s each, 0\.3 s$/m);
  assertMatch(out, /^lost +0 \(0\.00 %\)$/m);
});

Deno.test("bench asks before it loads another machine, and tells why it cannot", async () => {
  const remote = await runTool(["bench", "-h", "192.0.2.1"]);
  assertEquals(remote.code, 2);
  assertStringIncludes(remote.err, '"192.0.2.1" is not this machine');
  assertEquals((await runTool(["bench", "--size", "11"])).code, 2);
  await using files = await SecurityFiles.make();
  const accessFile = await files.access("everyone\nallow publish other/#\n");
  await using broker = await TestBroker.start({ security: { accessFile } });
  const { code, err } = await runTool(["bench", "-p", String(broker.port), "--seconds", "1"]);
  assertEquals(code, 5);
  assertMatch(err, /^relayq bench failed: subscription to relayq-bench\/\w+\/0: refused\n$/);
});
