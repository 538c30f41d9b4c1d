/** The audit log on the disk: rotation, restarts, crashes, full disks, and what others do to it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BrokerProcess } from "../durability/_broker_process.ts";
import { auditDirectory, auditFiles, auditLines, verifyAudit } from "../support/audit_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { text, WireClient } from "../support/wire_client.ts";

const LINES_OF_A_VISIT = 2;

async function withDirectory(use: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    await use(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** So many clients come and go. */
async function visits(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const clientIdentifier = `visitor-${i}`.padEnd(200, ".");
    const client = await WireClient.connect(port, { clientIdentifier });
    await client.disconnect();
  }
}

/** Lets a broker write some lines, in files that are full soon; gives its log. */
async function write(
  dataDir: string,
  { count, filesMax = 100 }: { count: number; filesMax?: number },
): Promise<string> {
  const changes = { store: { dataDir }, audit: { fileBytesMax: 40_000, filesMax, flushMs: 10 } };
  const broker = await TestBroker.start(changes, { keepDataDir: true });
  await visits(broker.port, count);
  await broker[Symbol.asyncDispose]();
  return broker.log.join("");
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!await condition()) {
    assert(performance.now() < deadline, `not in 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Number of the last line of the file that grows; 0 while it is being replaced. */
async function lastSeq(directory: string): Promise<number> {
  const text = await Deno.readTextFile(`${directory}/audit.jsonl`).catch(() => "");
  const line = text.split("\n").at(-2);
  return line === undefined ? 0 : JSON.parse(line).seq;
}

/** SHA-256 in hex. */
async function sha256(line: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(line));
  return new Uint8Array(digest).toHex();
}

Deno.test("the chain goes on through rotations and restarts, and old files go", async () => {
  await withDirectory(async (dataDir) => {
    const directory = auditDirectory(dataDir);
    let log = "";
    for (let start = 0; start < 3; start++) log += await write(dataDir, { count: 200 });
    const files = await auditFiles(directory);
    assert(files.length > 6, files.join());
    for (const name of files.slice(0, -1)) {
      assert((await Deno.stat(`${directory}/${name}`)).size <= 40_000, name);
    }
    const { code, out } = await verifyAudit(directory);
    assertEquals(code, 0, out);
    const lines = await auditLines(directory);
    assertEquals(lines.map(({ seq }) => seq), lines.map((_, i) => i + 1));
    const visited = lines.filter(({ event }) => event === "connected" || event === "closed");
    assertEquals(visited.length, 3 * 200 * LINES_OF_A_VISIT);
    assertEquals(lines.filter(({ event }) => event === "log-opened").length, 3);
    // Every file is named in the log, with the hash of its last line.
    for (const name of files.slice(0, -1)) {
      const last = (await Deno.readTextFile(`${directory}/${name}`)).split("\n").at(-2)!;
      const { seq } = JSON.parse(last);
      const head = `audit head: seq=${seq} sha256=${await sha256(last)} file=${name}\n`;
      assertStringIncludes(log, head);
    }
    await write(dataDir, { count: 100, filesMax: 3 });
    assertEquals((await auditFiles(directory)).length, 3);
    const shorter = await verifyAudit(directory);
    assertEquals(shorter.code, 0, shorter.out);
  });
});

Deno.test("what is edited, removed, swapped or cut off in a log of a broker is found", async () => {
  await withDirectory(async (dataDir) => {
    const directory = auditDirectory(dataDir);
    const log = await write(dataDir, { count: 150 });
    const [first = ""] = await auditFiles(directory);
    const { seq: lastSeq } = (await auditLines(directory)).at(-1)!;
    const heads = [...log.matchAll(/audit head: seq=(\d+) sha256=([0-9a-f]{64})/g)];
    assertEquals(heads.at(-1)?.[1], `${lastSeq}`, "the log tells the last line");
    const attempts: [string, string, (lines: string[]) => string[]][] = [
      ["edited", first, (lines) => lines.with(3, lines[3]!.replace("visitor", "visiter"))],
      ["missing", first, (lines) => lines.toSpliced(4, 2)],
      ["stands behind", first, (lines) => lines.with(2, lines[3]!).with(3, lines[2]!)],
      ["not with", first, (lines) => lines.slice(0, -1)],
      ["the head names", "audit.jsonl", (lines) => lines.slice(0, -2)],
    ];
    for (const [finding, name, change] of attempts) {
      const path = `${directory}/${name}`;
      const whole = await Deno.readTextFile(path);
      const lines = change(whole.split("\n").slice(0, -1));
      await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
      const { code, out } = await verifyAudit(directory);
      assertEquals(code, 1, finding);
      assertStringIncludes(out, finding);
      await Deno.writeTextFile(path, whole);
    }
    assertEquals((await verifyAudit(directory)).code, 0);
    // Whoever takes the head away, too, is betrayed by the log, wherever that is kept.
    const whole = await Deno.readTextFile(`${directory}/audit.jsonl`);
    const lines = whole.split("\n").slice(0, -3);
    await Deno.writeTextFile(`${directory}/audit.jsonl`, lines.map((line) => `${line}\n`).join(""));
    const { code, out } = await verifyAudit(directory, "--no-head");
    assertEquals(code, 0, out);
    assert(!out.includes(heads.at(-1)![2]!));
    // The broker goes on, but what is gone stays visible.
    await write(dataDir, { count: 1 });
    const after = await verifyAudit(directory);
    assertEquals(after.code, 1);
    assertStringIncludes(after.out, "damaged");
  });
});

Deno.test("two brokers cannot write one audit log, and one that cannot be opened stops the start", async () => {
  await withDirectory(async (dir) => {
    await using broker = await TestBroker.start({ audit: { dir: `${dir}/log` } });
    const client = await WireClient.connect(broker.port);
    await client.disconnect();
    for (
      const [other, problem] of [[`${dir}/log`, /held by another/], [`${dir}/file`, /./]] as const
    ) {
      await Deno.writeTextFile(`${dir}/file`, "");
      const second = await TestBroker.start({ audit: { dir: other } }).then(
        () => "started",
        ({ message }: Error) => message,
      );
      assertMatch(second, /audit log in /);
      assertMatch(second, problem);
    }
  });
});

Deno.test("after kill -9 the chain goes on, with a line that says what was lost", async () => {
  await withDirectory(async (dataDir) => {
    const config = `${dataDir}/relayq.toml`;
    const directory = auditDirectory(`${dataDir}/data`);
    const lines = ['[[listeners]]\naddress = "127.0.0.1:0"', "[audit]", "flush_ms = 10"];
    const limits = ["file_bytes_max = 65536", "connections_per_client_max = 1000000"];
    const store = ["[store]", `data_dir = "${dataDir}/data"`, 'kind = "memory"'];
    await Deno.writeTextFile(config, [...lines, ...limits, ...store].join("\n"));
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      const broker = BrokerProcess.start(config);
      let busy: Promise<void>[] = [];
      try {
        await broker.listening();
        const before = await lastSeq(directory);
        busy = [1, 2].map(() => visits(broker.port, Infinity).catch(() => {}));
        await until(async () => await lastSeq(directory) > before + 100, "lines");
      } finally {
        await broker.kill();
        await Promise.all(busy);
      }
      if (round !== 2) continue;
      // As a power cut may leave it: a line of which a part has reached the disk.
      await Deno.writeTextFile(`${directory}/audit.jsonl`, '{"seq":1,"torn', { append: true });
    }
    const last = BrokerProcess.start(config);
    await last.listening();
    await last.stop();
    const { code, out } = await verifyAudit(directory);
    assertEquals(code, 0, out);
    const events = await auditLines(directory);
    assertEquals(events.filter(({ event }) => event === "log-opened").length, rounds + 1);
    const torn = events.filter(({ torn_bytes }) => Number(torn_bytes) >= 14);
    assertEquals(torn.length, 1);
    assertEquals(events.at(-1)?.event, "log-closed");
  });
});

Deno.test({
  name: "a full disk stops no client, and the lines that it cost are counted when there is room",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await withDirectory(async (dataDir) => {
      const config = `${dataDir}/relayq.toml`;
      const directory = auditDirectory(`${dataDir}/data`);
      const lines = ['[[listeners]]\naddress = "127.0.0.1:0"', "[audit]", "flush_ms = 10"];
      const limits = ["waiting_bytes_max = 65536", "connections_per_client_max = 1000000"];
      const level = ["[log]", 'level = "error"'];
      const store = ["[store]", `data_dir = "${dataDir}/data"`, 'kind = "memory"'];
      await Deno.writeTextFile(config, [...lines, ...limits, ...level, ...store].join("\n"));
      const script = 'trap "" XFSZ; exec prlimit --fsize=20000:unlimited -- "$0" "$@"';
      const broker = BrokerProcess.start(config, ["sh", "-c", script]);
      let visitors = 0;
      try {
        await broker.listening();
        const { port } = broker;
        using subscriber = await WireClient.connect(port, { clientIdentifier: "subscriber" });
        await subscriber.subscribe("t");
        while (!broker.stderr.includes("audit log in trouble") || visitors < 300) {
          await visits(port, 20);
          visitors += 20;
          assert(visitors < 10_000);
        }
        using publisher = await WireClient.connect(port, { clientIdentifier: "publisher" });
        await publisher.publish("t", "still here", { qos: 1 });
        assertEquals(text((await subscriber.receiveMessage()).payload), "still here");
        const lift = ["--pid", `${broker.pid}`, "--fsize=unlimited"];
        await new Deno.Command("prlimit", { args: lift }).output();
        const isCounted = ({ event }: { event: string }) => event === "entries-lost";
        await until(async () => (await auditLines(directory)).some(isCounted), "recovery");
        await visits(port, 1);
        visitors++;
      } finally {
        await broker.stop();
      }
      const { code, out } = await verifyAudit(directory);
      assertEquals(code, 0, out);
      const events = await auditLines(directory);
      const lost = events.filter(({ event }) => event === "entries-lost");
      assert(lost.length > 0);
      const count = lost.reduce((sum, line) => sum + Number(line.count), 0);
      const written = events.filter(({ event }) => event === "connected" || event === "closed");
      assertEquals(written.length + count, (visitors + 2) * LINES_OF_A_VISIT);
    });
  },
});
