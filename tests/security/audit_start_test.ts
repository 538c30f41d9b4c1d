/** The start of a broker whose disk is full: whether there is an audit log already decides. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BrokerProcess } from "../durability/_broker_process.ts";
import { auditDirectory, auditLines, verifyAudit } from "../support/audit_files.ts";
import { WireClient } from "../support/wire_client.ts";

/**
 * Every write fails, as on a disk without room, until the limit is lifted. Under `deno task coverage`
 * the process would complain of its coverage for so long that what it says itself is lost.
 */
const FULL = [
  "sh",
  "-c",
  'unset DENO_COVERAGE_DIR; trap "" XFSZ; exec prlimit --fsize=0:unlimited -- "$0" "$@"',
];
const EXIT_START = 3;

async function withConfig(use: (config: string, directory: string) => Promise<void>) {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${dataDir}/relayq.toml`;
  const store = ["[store]", `data_dir = "${dataDir}/data"`, 'kind = "memory"'];
  const lines = ['[[listeners]]\naddress = "127.0.0.1:0"', "[audit]", "flush_ms = 10", ...store];
  await Deno.writeTextFile(config, lines.join("\n"));
  try {
    await use(config, auditDirectory(`${dataDir}/data`));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function visit(port: number): Promise<void> {
  const client = await WireClient.connect(port, { clientIdentifier: "visitor" });
  await client.disconnect();
}

Deno.test({
  name: "without a log nothing is begun on a full disk: the broker says so and does not start",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await withConfig(async (config, directory) => {
      const broker = BrokerProcess.start(config, FULL);
      const { code } = await broker.status;
      await broker.stop(); // its output is read to the end
      assertEquals(code, EXIT_START);
      assertStringIncludes(broker.stderr, "Cannot start: audit log in ");
      // Nothing is left that would look like a log of which something was taken away.
      const again = BrokerProcess.start(config);
      await again.listening();
      await again.stop();
      const { code: verdict, out } = await verifyAudit(directory);
      assertEquals(verdict, 0, out);
    });
  },
});

Deno.test({
  name: "a log that is there lets the broker start on a full disk, and goes on when there is room",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await withConfig(async (config, directory) => {
      const first = BrokerProcess.start(config);
      await first.listening();
      await first.stop();
      const before = (await auditLines(directory)).length;
      const broker = BrokerProcess.start(config, FULL);
      try {
        await broker.listening();
        await visit(broker.port);
        const deadlineMs = performance.now() + 30_000;
        while (!broker.stderr.includes("audit log in trouble")) {
          assert(performance.now() < deadlineMs);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assertEquals((await auditLines(directory)).length, before);
        const lift = ["--pid", `${broker.pid}`, "--fsize=unlimited"];
        await new Deno.Command("prlimit", { args: lift }).output();
      } finally {
        await broker.stop();
      }
      const { code, out } = await verifyAudit(directory);
      assertEquals(code, 0, out);
      const events = (await auditLines(directory)).slice(before).map(({ event }) => event);
      assertEquals(events.slice(0, 4), ["log-opened", "started", "connected", "closed"]);
    });
  },
});
