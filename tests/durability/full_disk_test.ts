/** A full disk, with a real broker: a limit on the size of its files stands for it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";
import { BrokerProcess } from "./_broker_process.ts";

const FILE_BYTES_MAX = 600_000;
const MESSAGES = 60;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < deadline, `not in 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Status and reason of `/readyz`. */
async function readiness(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  const { detail = "" } = await response.json();
  return `${response.status} ${detail}`;
}

Deno.test({
  name: "on a full disk nothing is acknowledged that is not stored, QoS 0 goes on, and it recovers",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
    const config = `${directory}/relayq.toml`;
    await Deno.writeTextFile(
      config,
      `[[listeners]]\naddress = "127.0.0.1:0"\n[store]\ndata_dir = "${directory}/data"\n` +
        `[admin]\naddress = "127.0.0.1:0"\n`,
    );
    const script = `trap "" XFSZ; exec prlimit --fsize=${FILE_BYTES_MAX}:unlimited -- "$0" "$@"`;
    const full = BrokerProcess.start(config, ["sh", "-c", script]);
    try {
      await full.listening();
      const { port } = full;
      using publisher = await WireClient.connect(port, { clientIdentifier: "publisher" });
      let acknowledged = 0;
      const acknowledgements = (async () => {
        while (acknowledged < MESSAGES) {
          await publisher.expect("PUBACK", 60_000);
          acknowledged++;
        }
      })();
      for (let i = 1; i <= MESSAGES; i++) {
        const content = `${i} `.padEnd(20_000, "x");
        const options = { qos: 1, packetId: i, retain: true } as const;
        await publisher.send(publishPacket(`t/${i}`, content, options));
      }
      await until(() => full.stderr.includes("store in trouble"), "trouble");
      assertStringIncludes(
        await readiness(full.adminPort),
        "503 the store is in trouble: Cannot commit",
      );
      const before = acknowledged;
      assert(before < MESSAGES);
      using subscriber = await WireClient.connect(port, { clientIdentifier: "live" });
      await subscriber.subscribe("live");
      using other = await WireClient.connect(port, { clientIdentifier: "other" });
      for (const content of ["1", "2", "3"]) {
        await other.publish("live", content);
        assertEquals(text((await subscriber.receiveMessage()).payload), content);
      }
      assertEquals(acknowledged, before, "nothing more is acknowledged");
      const lift = ["--pid", `${full.pid}`, "--fsize=unlimited"];
      await new Deno.Command("prlimit", { args: lift }).output();
      await acknowledgements;
      await until(() => full.stderr.includes("store recovered"), "recovery");
      assertStringIncludes(full.stderr, "acknowledgements wait: Cannot commit");
      assertEquals(await readiness(full.adminPort), "200 ");
    } finally {
      await full.kill();
    }
    const again = BrokerProcess.start(config);
    try {
      await again.listening();
      using client = await WireClient.connect(again.port);
      await client.subscribe("t/#");
      assertEquals((await client.drain()).length, MESSAGES);
    } finally {
      await again.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
});
