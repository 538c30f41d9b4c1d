/** `relayq pub` and `relayq sub` against Mosquitto's broker and clients. Fails where they are missing. */
import { assertEquals } from "@std/assert";
import { runTool, subscribed } from "../cli/_tools.ts";
import { TestBroker } from "../support/test_broker.ts";
import { Mosquitto } from "./_mosquitto.ts";

const LINES = Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join("");

async function mosquitto(
  program: "mosquitto_pub" | "mosquitto_sub",
  args: readonly string[],
  input = "",
): Promise<{ code: number; out: string }> {
  const child = new Deno.Command(program, {
    args: ["-h", "127.0.0.1", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout } = await child.output();
  return { code, out: new TextDecoder().decode(stdout) };
}

Deno.test("sub hears mosquitto_pub, and mosquitto_sub hears pub, at every QoS", async () => {
  await using broker = await TestBroker.start();
  const port = String(broker.port);
  for (const qos of ["0", "1", "2"]) {
    const args = ["-p", port, "-t", "lines", "-q", qos];
    const before = broker.server.broker.statistics.subscriptions;
    const ours = runTool(["sub", ...args, "-C", "400", "-W", "20"]);
    const theirs = mosquitto("mosquitto_sub", [...args, "-C", "400", "-W", "20"]);
    await subscribed(broker, before + 2);
    assertEquals((await mosquitto("mosquitto_pub", [...args, "-l"], LINES)).code, 0);
    assertEquals((await runTool(["pub", ...args, "--lines"], LINES)).code, 0);
    assertEquals([(await ours).out, (await theirs).out], [LINES + LINES, LINES + LINES]);
  }
});

Deno.test("pub and sub speak to Mosquitto's broker: sessions, retained messages, Wills, refusals", async () => {
  await using broker = await Mosquitto.start("allow_anonymous true\n", {});
  const address = ["-p", String(broker.port)];
  const session = ["-t", "kept", "-i", "keeper", "--keep-session", "-q", "2"];
  assertEquals((await runTool(["sub", ...address, ...session, "-W", "0.1"])).code, 0);
  const published = await runTool(["pub", ...address, "-t", "kept", "-q", "2", "-l"], LINES);
  assertEquals([published.code, published.err], [0, ""]);
  // With more in flight than Mosquitto's 20 some would be acknowledged and not here.
  const kept = await runTool(["sub", ...address, ...session, "-C", "200", "-W", "10"]);
  assertEquals([kept.code, kept.out], [0, LINES]);
  await runTool(["pub", ...address, "-t", "state", "-m", "-1", "-r", "-q", "1"]);
  const retained = await runTool(["sub", ...address, "-t", "state", "-C", "1", "-v", "-W", "10"]);
  assertEquals(retained.out, "state -1\n");

  await using guarded = await Mosquitto.start("allow_anonymous false\n", {});
  const refused = await runTool(["pub", "-p", `${guarded.port}`, "-t", "a", "-m", "x"]);
  assertEquals([refused.code, /CONNACK return code 5/.test(refused.err)], [5, true]);
});
