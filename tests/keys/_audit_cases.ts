/** Keys of the tables `audit` and `take_over`. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  auditDirectory,
  auditFiles,
  type AuditLine,
  auditLines,
  recorded,
} from "../support/audit_files.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { text, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

type AuditChanges = NonNullable<ConfigChanges["audit"]>;
type TakeOverChanges = NonNullable<ConfigChanges["takeOver"]>;

const SERVER_UNAVAILABLE = 3;
const CLIENT = { clientIdentifier: "c", cleanSession: false };

/** Gives `use` a directory and removes it in the end. */
async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Clients come and go, each of which leaves about 900 bytes. */
async function visits(port: number, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) {
    const clientIdentifier = `${i}`.padEnd(200, ".");
    await (await WireClient.connect(port, { clientIdentifier })).disconnect();
  }
}

/** Files of the log when some clients have come and gone; `pauseMs` in their middle. */
async function filesAfter(
  audit: AuditChanges,
  { count, pauseMs = 0 }: { count: number; pauseMs?: number },
): Promise<number> {
  return await inDirectory(async (dataDir) => {
    const broker = await TestBroker.start({ audit, store: { dataDir } }, { keepDataDir: true });
    await visits(broker.port, count / 2);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await visits(broker.port, count / 2, count / 2);
    await broker[Symbol.asyncDispose]();
    return (await auditFiles(auditDirectory(dataDir))).length;
  });
}

/** Lines of one event that some clients cause, and how many stand for those left out. */
async function sampled(
  audit: AuditChanges,
  { clients, each }: { clients: number; each: number },
): Promise<{ written: number; all: number }> {
  const limits = { subscriptionsMax: 1, subscriptionsPerSessionMax: 1 };
  const lines = await recorded({ audit, limits }, async ({ port }) => {
    for (let i = 0; i < clients; i++) {
      using client = await WireClient.connect(port, { clientIdentifier: `${i}` });
      for (let j = 0; j < each; j++) {
        await client.publish("$SYS/no", "x", { qos: 1 });
        await client.publish("$SYS/other", "x", { qos: 1 });
      }
    }
  });
  return weigh(lines, ({ event }) => event === "acl-denied");
}

function weigh(
  lines: readonly AuditLine[],
  counts: (line: AuditLine) => boolean,
): { written: number; all: number } {
  const found = lines.filter(counts);
  const others = lines.filter(({ event, of }) =>
    event === "entries-suppressed" && of === "denials"
  );
  const all = found.reduce((sum, line) => sum + 1 + Number(line.suppressed ?? 0), 0) +
    others.reduce((sum, line) => sum + Number(line.count), 0);
  return { written: found.length, all };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!await condition()) {
    assert(performance.now() < deadline, "not in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The value of a topic below `$SYS/broker/audit/` when it is above 0. */
async function auditFigure(port: number, name: string): Promise<number> {
  using client = await WireClient.connect(port, { clientIdentifier: "figures" });
  await client.subscribe(`$SYS/broker/audit/${name}`);
  for (;;) {
    const value = Number(text((await client.receiveMessage(20_000)).payload));
    if (value > 0) return value;
  }
}

const auditCases: KeyCases = {
  "audit.enabled": async () => {
    for (const enabled of [true, false]) {
      await inDirectory(async (dataDir) => {
        const changes = { audit: { enabled }, store: { dataDir } };
        await (await TestBroker.start(changes, { keepDataDir: true }))[Symbol.asyncDispose]();
        const names = [...Deno.readDirSync(dataDir)].map(({ name }) => name);
        assertEquals(names.includes("audit"), enabled);
      });
    }
  },
  "audit.dir": async () => {
    await inDirectory(async (dir) => {
      await (await TestBroker.start({ audit: { dir: `${dir}/log` } }))[Symbol.asyncDispose]();
      assertEquals((await auditLines(`${dir}/log`)).at(-1)?.event, "log-closed");
    });
  },
  "audit.file_bytes_max": async () => {
    assertEquals(await filesAfter({ fileBytesMax: 65_536 }, { count: 100 }), 2);
    assertEquals(await filesAfter({ fileBytesMax: 1_000_000 }, { count: 100 }), 1);
  },
  "audit.file_age_ms_max": async () => {
    const flushMs = 10;
    const visited = { count: 2, pauseMs: 1_100 };
    assertGreater(await filesAfter({ fileAgeMsMax: 1000, flushMs }, visited), 1);
    assertEquals(await filesAfter({ fileAgeMsMax: 1_000_000, flushMs }, visited), 1);
  },
  "audit.files_max": async () => {
    for (const filesMax of [2, 3]) {
      assertEquals(await filesAfter({ fileBytesMax: 65_536, filesMax }, { count: 300 }), filesMax);
    }
  },
  "audit.flush_ms": async () => {
    await inDirectory(async (dataDir) => {
      await inDirectory(async (lazyDir) => {
        await using lazy = await TestBroker.start({
          audit: { flushMs: 60_000, dir: `${lazyDir}/log` },
        });
        await using quick = await TestBroker.start({
          audit: { flushMs: 10, dir: `${dataDir}/log` },
        });
        for (const { port } of [lazy, quick]) await visits(port, 1);
        const wrote = async (directory: string) =>
          (await auditLines(directory)).some(({ event }) => event === "closed");
        await until(() => wrote(`${dataDir}/log`));
        assertEquals(await wrote(`${lazyDir}/log`), false);
      });
    });
  },
  "audit.waiting_bytes_max": async () => {
    for (const [waitingBytesMax, loses] of [[65_536, true], [1_000_000, false]] as const) {
      await inDirectory(async (dir) => {
        const audit = { fileBytesMax: 65_536, flushMs: 10, waitingBytesMax, dir: `${dir}/log` };
        const sysTopics = { enabled: true, intervalMs: 100 };
        await using broker = await TestBroker.start({ audit, sysTopics });
        // Nothing can be written any more as soon as a file is full.
        await Deno.remove(`${dir}/log`, { recursive: true });
        await visits(broker.port, 250);
        assertGreater(await auditFigure(broker.port, loses ? "lost" : "waiting"), 0);
        if (!loses) assertEquals(broker.server.auditFacts?.lost, 0);
      });
    }
  },
  "audit.per_origin_max": async () => {
    // Two topics in turn, so that no two in a row are one; one more line carries the count.
    for (const perOriginMax of [2, 5]) {
      const audit = { perOriginMax, perMinuteMax: 1000 };
      const expected = { written: perOriginMax + 1, all: 20 };
      assertEquals(await sampled(audit, { clients: 1, each: 10 }), expected);
    }
  },
  "audit.per_minute_max": async () => {
    const few = await sampled({ perMinuteMax: 10 }, { clients: 30, each: 1 });
    assertEquals([few.all, few.written < 60], [60, true]);
    const many = await sampled({ perMinuteMax: 1000 }, { clients: 30, each: 1 });
    assertEquals(many, { written: 60, all: 60 });
  },
  "audit.connections_per_client_max": async () => {
    for (const connectionsPerClientMax of [2, 5]) {
      const lines = await recorded({ audit: { connectionsPerClientMax } }, async ({ port }) => {
        for (let i = 0; i < 10; i++) await (await WireClient.connect(port, CLIENT)).disconnect();
      });
      const { written, all } = weigh(lines, ({ event }) => event === "connected");
      assertEquals([written, all], [connectionsPerClientMax + 1, 10]);
    }
  },
  "audit.head_interval_ms": async () => {
    for (const headIntervalMs of [100, 3_600_000]) {
      await using often = await TestBroker.start({ audit: { headIntervalMs: 100, flushMs: 10 } });
      await using broker = await TestBroker.start({ audit: { headIntervalMs, flushMs: 10 } });
      for (const { port } of [broker, often]) await visits(port, 1);
      await until(() => often.log.join("").includes("audit head: seq="));
      await until(() => headIntervalMs > 100 || broker.log.join("").includes("audit head: seq="));
      assertEquals(broker.log.join("").includes("audit head:"), headIntervalMs === 100);
    }
  },
};

/** Return codes of two addresses that take one Client Identifier from each other. */
async function fight(
  takeOver: TakeOverChanges,
  { times, pauseMs = 0, places = ["127.0.0.1", "127.0.0.2"] }: {
    times: number;
    pauseMs?: number;
    places?: readonly string[];
  },
): Promise<{ codes: number[]; log: string }> {
  await using broker = await TestBroker.start({ takeOver });
  const codes: number[] = [];
  const clients: WireClient[] = [];
  for (let i = 0; i < times; i++) {
    const client = await WireClient.openFrom(places[i % places.length]!, broker.port);
    clients.push(client);
    codes.push((await client.sendConnect(CLIENT)).returnCode);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  for (const client of clients) client.close();
  return { codes, log: broker.log.join("") };
}

const takeOverCases: KeyCases = {
  "take_over.returns_max": async () => {
    for (const [returnsMax, first] of [[1, 2], [4, 5], [0, -1]] as const) {
      const { codes } = await fight({ returnsMax }, { times: 10 });
      assertEquals(codes.indexOf(SERVER_UNAVAILABLE), first);
    }
  },
  "take_over.same_address_max": async () => {
    for (const [sameAddressMax, first] of [[1, 2], [4, 5], [0, -1]] as const) {
      const { codes } = await fight({ sameAddressMax }, { times: 10, places: ["127.0.0.1"] });
      assertEquals(codes.indexOf(SERVER_UNAVAILABLE), first);
    }
  },
  "take_over.window_ms": async () => {
    const paced = { times: 6, pauseMs: 150 };
    assertEquals((await fight({ returnsMax: 1, windowMs: 100 }, paced)).codes.includes(3), false);
    assertEquals((await fight({ returnsMax: 1, windowMs: 60_000 }, paced)).codes.includes(3), true);
  },
  "take_over.damp_ms": async () => {
    for (const [dampMs, seconds] of [[10_000, 10], [30_000, 30]] as const) {
      const { log } = await fight({ returnsMax: 1, dampMs }, { times: 3 });
      assert(log.includes(` for_s=${seconds}\n`), log);
    }
  },
  "take_over.damp_ms_max": async () => {
    for (const [dampMsMax, longest] of [[1000, 1], [600_000, 2]] as const) {
      const limits = { returnsMax: 1, dampMs: 1000, dampMsMax };
      const { log } = await fight(limits, { times: 6, pauseMs: 500 });
      const seconds = [...log.matchAll(/ for_s=(\d+)\n/g)].map(([, text]) => Number(text));
      assertEquals([seconds.length > 1, seconds.at(-1)], [true, longest]);
    }
  },
};

/** The cases by path. */
export const auditAndTakeOverCases: KeyCases = { ...auditCases, ...takeOverCases };
