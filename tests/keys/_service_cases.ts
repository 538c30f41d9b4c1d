/** Keys of the tables `log` and `service`. */
import { assert, assertEquals } from "@std/assert";
import { NotifySocket } from "../support/notify_socket.ts";
import { ServedBroker } from "../support/served_broker.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { eventually, inDirectory, pause } from "../support/waiting.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

type LogChanges = NonNullable<ConfigChanges["log"]>;

/** Lines of the log when clients have come and gone. */
async function logged(log: LogChanges, visits = 1): Promise<string[]> {
  const broker = await TestBroker.start({ log });
  for (let i = 0; i < visits; i++) {
    const clientIdentifier = `visitor-${i}`;
    await (await WireClient.connect(broker.port, { clientIdentifier })).disconnect();
  }
  await broker[Symbol.asyncDispose]();
  return broker.log.join("").trimEnd().split("\n");
}

/** Names and sizes of the files of a log that many clients have filled. */
async function filesAfter(log: LogChanges, visits: number): Promise<Map<string, number>> {
  return await inDirectory(async (directory) => {
    await logged({ file: `${directory}/log`, ...log }, visits);
    return new Map(
      [...Deno.readDirSync(directory)].map(({ name }) =>
        [name, Deno.statSync(`${directory}/${name}`).size] as const
      ),
    );
  });
}

/** Ends a broker while a client does not take what is its own; gives how long that took, and the log. */
async function end(drainMs: number): Promise<{ tookMs: number; log: string }> {
  const outbox = { highWaterBytes: 4_194_304 };
  const broker = await TestBroker.start({ service: { drainMs }, outbox });
  using frozen = await WireClient.connect(broker.port, { clientIdentifier: "frozen" });
  await frozen.subscribe("t");
  using publisher = await WireClient.connect(broker.port);
  for (let i = 0; i < 80; i++) await publisher.publish("t", "x".repeat(100_000));
  await publisher.publish("other", "x", { qos: 1 });
  const beforeMs = performance.now();
  await broker[Symbol.asyncDispose]();
  return { tookMs: performance.now() - beforeMs, log: broker.log.join("") };
}

/** Whether the watchdog goes hungry when the disk is full. */
async function starves(storeStuckMsMax: number): Promise<boolean> {
  return await inDirectory(async (directory) => {
    await using socket = await NotifySocket.bind(`${directory}/notify`);
    await using broker = await ServedBroker.serve({
      directory,
      env: { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: "200000" },
      toml: `[service]\nstore_stuck_ms_max = ${storeStuckMsMax}\n[audit]\nenabled = false\n`,
      script: `trap "" XFSZ; exec prlimit --fsize=300000 -- "$0" "$@"`,
    });
    using client = await WireClient.connect(broker.port);
    for (let packetId = 1; packetId <= 40; packetId++) {
      await client.send(publishPacket("t", "x".repeat(20_000), { qos: 1, packetId, retain: true }));
      await client.send(publishPacket(`t/${packetId}`, "x".repeat(20_000), { retain: true }));
    }
    await eventually("trouble", () => broker.err.includes("store in trouble"));
    await pause(1_000);
    return broker.err.includes("the watchdog is not fed: the store");
  });
}

/** Every case. */
export const serviceCases: KeyCases = {
  "log.levels": async () => {
    const quiet = await logged({ level: "info", levels: "broker=error server=warn" });
    assert(!quiet.some((line) => /visitor|started/.test(line)), quiet.join("\n"));
    assert(quiet.some((line) => line.includes("info  audit head: ")));
    assert((await logged({ level: "error", levels: "broker=info" }))[0]!.includes("visitor-0"));
  },
  "log.format": async () => {
    assert((await logged({ format: "json" })).every((line) => JSON.parse(line).time !== ""));
    assert((await logged({ format: "text" })).every((line) => /^\d{4}-\S+Z [a-z]+ +/.test(line)));
  },
  "log.journald": async () => {
    assert((await logged({ journald: "on" })).every((line) => /^<[3-7]>\d/.test(line)));
    assert((await logged({ journald: "off" })).every((line) => /^\d/.test(line)));
  },
  "log.file": async () => {
    await inDirectory(async (directory) => {
      const file = `${directory}/log`;
      assertEquals(await logged({ file }), [""], "nothing elsewhere");
      assert(Deno.readTextFileSync(file).includes("visitor-0"));
    });
  },
  "log.file_bytes_max": async () => {
    const few = await filesAfter({ fileBytesMax: 4096 }, 50);
    assert(few.size > 1 && [...few.values()].every((bytes) => bytes <= 4096), `${[...few]}`);
    assertEquals((await filesAfter({ fileBytesMax: 1_000_000 }, 50)).size, 1);
  },
  "log.files_max": async () => {
    for (const filesMax of [1, 2]) {
      assertEquals((await filesAfter({ fileBytesMax: 4096, filesMax }, 60)).size, filesMax);
    }
  },
  "log.repeats_per_second_max": async () => {
    for (const repeatsPerSecondMax of [1, 1_000]) {
      const lines = await logged({ repeatsPerSecondMax }, 30);
      const visits = lines.filter((line) => line.includes(" connected: ")).length;
      assertEquals(visits < 30, repeatsPerSecondMax === 1, lines.join("\n"));
      assertEquals(
        lines.some((line) => /suppressed \d+ more like "connected: /.test(line)),
        visits < 30,
      );
    }
  },
  "service.drain_ms": async () => {
    for (const drainMs of [100, 3_000]) {
      const { tookMs, log } = await end(drainMs);
      assert(tookMs >= drainMs, `${tookMs} ms`);
      assert(log.includes(`1 clients have not taken in ${drainMs} ms what was theirs`), log);
    }
  },
  "service.store_stuck_ms_max": async () => {
    assertEquals(await starves(300), true);
    assertEquals(await starves(60_000), false);
  },
};
