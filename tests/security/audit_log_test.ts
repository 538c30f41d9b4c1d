/** The audit log on a disk that fills up, fails, and loses its power. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  AUDIT_FILE,
  AuditVerifier,
  DirectoryAuditStorage,
  formatAuditBody,
  parseHead,
} from "../../src/security/mod.ts";
import {
  AUDIT_LIMITS,
  clientsOf,
  entriesOf,
  entry,
  makeChain,
  NOW_MS,
  openLog,
  verifyStorage,
  write,
} from "./_audit.ts";
import { MemoryAuditStorage } from "./_memory_audit_storage.ts";

Deno.test("only the fields of an event are written, control characters escaped, long texts cut", () => {
  const packet = {
    event: "connected" as const,
    client: 'a\n\u009b31m\u2028\u202e\u2066\u200b"',
    user: "x".repeat(1000),
    address: "10.0.0.1",
    password: "secret",
    listener: undefined,
    resumed: true,
  };
  const body = formatAuditBody(packet, NOW_MS);
  assertEquals(
    body,
    '"time":"2025-06-15T15:06:40.000Z","event":"connected",' +
      `"client":"a\\n\\u009b31m\\u2028\\u202e\\u2066\\u200b\\"","user":"${"x".repeat(256)}…",` +
      '"address":"10.0.0.1","resumed":true',
  );
  assertEquals(JSON.parse(`{${body}}`).client, packet.client);
});

Deno.test("what is recorded is written in its order, sealed by the head, and closed", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage);
  await write(log, 3);
  assertEquals(log.head, parseHead(storage.head)!.point);
  await log.close("SIGTERM");
  assertEquals((await entriesOf(storage)).map(({ seq, event }) => `${seq} ${event}`), [
    "1 log-opened",
    "2 connected",
    "3 connected",
    "4 connected",
    "5 log-closed",
  ]);
  assertEquals((await verifyStorage(storage)).findings, []);
});

Deno.test("rotation by size and by age keeps the chain, and removes the oldest", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const clock = { wallMs: NOW_MS };
  const log = await openLog(storage, { fileBytesMax: 2000, filesMax: 4 }, clock);
  for (let i = 0; i < 60; i++) await write(log, 1, i);
  const names = await storage.rotated();
  assertEquals(names.length, 3);
  for (const bytes of storage.files.values()) assert(bytes.length <= 2000);
  const { findings, notes, first } = await verifyStorage(storage);
  assertEquals(findings, []);
  assert(first > 10 && notes[0]!.text.startsWith("begins with entry"));
  const continued = (await entriesOf(storage)).filter(({ event }) => event === "log-continued");
  assertEquals(continued.at(-1)!.file, names.at(-1));
  assertEquals(continued.at(-1)!.removed, 1);
  const before = log.head.seq;
  clock.wallMs += AUDIT_LIMITS.fileAgeMsMax + 10_000;
  await write(log, 1, 60);
  assertEquals((await storage.rotated()).at(-1)!.slice(-18, -6), String(before).padStart(12, "0"));
  assertEquals((await verifyStorage(storage)).findings, []);
});

Deno.test("a full disk never blocks; what was lost is counted where it is missing", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { queueBytesMax: 2000 });
  storage.room = 1000;
  for (let i = 0; i < 50; i++) {
    log.record(entry(i), NOW_MS + i * 1000);
    if (i % 10 === 0) await log.flush();
  }
  assertStringIncludes(log.trouble!, "No space left");
  assertEquals((await verifyStorage(storage)).findings, [], "nothing half is left behind");
  const { lost } = log.statistics;
  assert(lost > 10);
  storage.room = Infinity;
  await log.flush();
  await write(log, 1, 99);
  assertEquals([log.trouble, log.statistics.waiting], [null, 0] as unknown[]);
  const entries = await entriesOf(storage);
  const at = entries.findIndex(({ event }) => event === "entries-lost");
  const { count, from, until } = entries[at]!;
  assertEquals(count, lost);
  assertEquals([entries[at - 1]!.client, entries[at + 1]!.client], [`c${49 - lost}`, "c99"]);
  assertEquals(from, new Date(NOW_MS + (50 - lost) * 1000).toISOString());
  assertEquals(until, new Date(NOW_MS + 49_000).toISOString());
  const { findings, notes } = await verifyStorage(storage);
  assertEquals(findings, []);
  assertEquals(notes[0]!.text, `${lost} entries lost between ${from} and ${until}`);
  await log.close("end");
});

Deno.test("what was lost is counted in its place, whenever there is room again", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { queueBytesMax: 300 });
  for (let i = 0; i < 10; i++) log.record(entry(i), NOW_MS + i);
  const seal = storage.writeHead.bind(storage);
  storage.writeHead = (slot, text) => {
    if (log.statistics.waiting === 0) log.record(entry(99), NOW_MS + 99);
    storage.writeHead = seal;
    return seal(slot, text);
  };
  await log.flush();
  const events = (await entriesOf(storage)).map(({ event, client }) => client ?? event);
  const at = events.indexOf("c99");
  assertEquals(events.slice(at - 2, at), [`c${9 - log.statistics.lost}`, "entries-lost"]);
  await log.close("end");
});

Deno.test("while the disk refuses, the log tries again by itself", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { flushMs: 1 });
  storage.room = 0;
  await write(log, 1);
  assert(log.trouble !== null);
  storage.room = Infinity;
  for (let i = 0; i < 300 && log.trouble !== null; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals([log.trouble, await clientsOf(storage)], [null, ["c0"]] as unknown[]);
  await log.close("end");
});

Deno.test("a log that cannot be opened says so, and limits that make no sense are refused", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  storage.fuse = 1;
  await assertRejects(() => openLog(storage));
  await assertRejects(
    () => openLog(new MemoryAuditStorage(new Random(1)), { filesMax: 1 }),
    RangeError,
  );
});

/** A disk whose fsync ends when it is told to. */
class SilentStorage extends MemoryAuditStorage {
  readonly answer = Promise.withResolvers<void>();
  silent = false;
  closed = false;

  override async sync(): Promise<void> {
    if (this.silent) await this.answer.promise;
    await super.sync();
  }

  override close(): void {
    this.closed = true;
  }
}

Deno.test("the end does not wait for a disk that does not answer, and lets go when it does", async () => {
  const storage = new SilentStorage(new Random(1));
  const log = await openLog(storage);
  storage.silent = true;
  log.record(entry(1), NOW_MS);
  assertEquals([await log.close("end", 10), storage.closed], [false, false]);
  storage.answer.resolve();
  while (!storage.closed) await new Promise((resolve) => setTimeout(resolve, 1));
  const events = (await entriesOf(storage)).map(({ event }) => event);
  assertEquals(events, ["log-opened", "connected", "log-closed"]);
});

Deno.test("a log in a directory is written, rotated, continued and readable by its owner only", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "relayq-audit-" });
  try {
    const path = `${directory}/audit`;
    for (let run = 0; run < 3; run++) {
      const log = await openLog(await DirectoryAuditStorage.open(path), { fileBytesMax: 1500 });
      for (let i = 0; i < 10; i++) await write(log, 1, i);
      await log.close("end");
    }
    const storage = await DirectoryAuditStorage.open(path);
    const whole = await Deno.readFile(`${path}/${AUDIT_FILE}`);
    const end = await storage.read(AUDIT_FILE, { offset: -7, length: 100 });
    assertEquals(end, { bytes: whole.slice(-7), size: whole.length });
    const middle = await storage.read(AUDIT_FILE, { offset: 3, length: 4 });
    assertEquals(middle?.bytes, whole.slice(3, 7));
    assertEquals(await storage.read("none", { offset: 0, length: 1 }), null);
    const head = parseHead((await storage.readHead())!)!.point;
    const verifier = new AuditVerifier(head);
    const names = [...await storage.rotated(), AUDIT_FILE];
    assert(names.length > 3);
    for (const name of names) {
      verifier.open(name);
      verifier.push(await Deno.readFile(`${path}/${name}`));
      verifier.close();
      assertEquals((await Deno.stat(`${path}/${name}`)).mode! & 0o777, 0o600);
    }
    const { findings, entries } = verifier.finish({ headAfter: head });
    assertEquals(findings, []);
    assertEquals(entries, 36 + names.length - 1);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o700);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("recording costs microseconds", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { queueBytesMax: 10_000_000, fileBytesMax: 1e9 });
  const startedMs = performance.now();
  for (let i = 0; i < 20_000; i++) log.record(entry(i), NOW_MS);
  assert(performance.now() - startedMs < 2000);
  await log.close("end");
  assertEquals((await verifyStorage(storage)).entries, 20_002);
  assertEquals(makeChain(1).lines.length, 1);
});

Deno.test("no file grows beyond its bound, whatever alphabet the clients write in", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { fileBytesMax: 6_000 });
  for (let i = 0; i < 100; i++) {
    log.record({ event: "connected", client: "ж".repeat(100) }, NOW_MS + i);
  }
  await log.flush();
  await log.close("end");
  const sizes = [...storage.files.values()].map(({ length }) => length);
  assertGreater(sizes.length, 5);
  assert(sizes.every((size) => size <= 6_000), sizes.join());
  assertEquals((await verifyStorage(storage)).findings, []);
});

Deno.test("in a rush entries are written before they are lost for want of a flush", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { queueBytesMax: 4_000 });
  for (let i = 0; i < 200; i++) {
    log.record(entry(i), NOW_MS + i);
    // The next flush is due in a quarter of an hour.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(log.statistics.lost, 0);
  await log.close("end");
  assertEquals((await clientsOf(storage)).length, 200);
});
