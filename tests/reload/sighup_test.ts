/** `relayq serve` reads its configuration file again at SIGHUP. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ServedBroker } from "../support/served_broker.ts";
import { eventually } from "../support/waiting.ts";
import { WireClient } from "../support/wire_client.ts";

/** Sends SIGHUP and gives the line that tells what came of it. */
async function reloaded(broker: ServedBroker, line: RegExp): Promise<string> {
  const before = broker.err.length;
  broker.kill("SIGHUP");
  await eventually("a line of the reload", () => line.test(broker.err.slice(before)));
  return line.exec(broker.err.slice(before))![0];
}

Deno.test("SIGHUP takes the file as it is now, or nothing of it, and says so", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "relayq-sighup-" });
  try {
    await using broker = await ServedBroker.serve({ directory });
    const path = `${directory}/relayq.toml`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      `${text}\n[limits]\nconnections_max = 1\n\n[audit]\nenabled = false\n`,
    );
    assertMatch(
      await reloaded(broker, /configuration read: .*/),
      /^configuration read: in force now: limits\.connections_max; at the next start: audit\.enabled$/,
    );
    using first = await WireClient.connect(broker.port);
    using second = await WireClient.open(broker.port);
    await second.expectClosed();

    await Deno.writeTextFile(path, `${text}\n[limits]\nconnections_max = 9\nfoo = 1\n`);
    const line = await reloaded(broker, /reload failed, nothing is changed: .*/);
    assertStringIncludes(line, `${path}:`);
    assertStringIncludes(line, "foo");
    using third = await WireClient.open(broker.port);
    await third.expectClosed();

    await Deno.remove(path);
    const missing = await reloaded(broker, /reload failed, nothing is changed: .*/);
    assertStringIncludes(missing, "no such file or directory");

    await Deno.writeTextFile(path, text);
    const back = await reloaded(broker, /configuration read: .*/);
    assertEquals(back, "configuration read: in force now: limits.connections_max");
    using _fourth = await WireClient.connect(broker.port);
    await first.publish("t", "still here", { qos: 1 });
    broker.kill("SIGTERM");
    assertEquals((await broker.ended()).code, 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
