/** The audit log on a disk that fills up, fails, and loses its power. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  AUDIT_FILE,
  type AuditEntry,
  type AuditLog,
  AuditVerifier,
  continueAuditLog,
  DirectoryAuditStorage,
  formatAuditBody,
  hashLine,
  parseHead,
} from "../../src/security/mod.ts";
import { AUDIT_LIMITS, entriesOf, kinds, makeChain, openLog, verifyStorage } from "./_audit.ts";
import { MemoryAuditStorage } from "./_memory_audit_storage.ts";

const NOW_MS = 1_750_000_000_000;

function entry(i: number): AuditEntry {
  return { event: "connected", client: `c${i}`, address: "10.0.0.1", listener: "l" };
}

async function write(log: AuditLog, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) log.record(entry(i), NOW_MS + i);
  await log.flush();
}

async function clientsOf(storage: MemoryAuditStorage): Promise<string[]> {
  return (await entriesOf(storage)).flatMap(({ client }) =>
    client === undefined ? [] : [`${client}`]
  );
}

Deno.test("only the fields of an event are written, control characters escaped, long texts cut", () => {
  const packet = {
    event: "connected" as const,
    client: 'a\n\u009b31m\u2028"',
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
      `"client":"a\\n\\u009b31m\\u2028\\"","user":"${"x".repeat(256)}…",` +
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

Deno.test("a later run goes on with the chain, and there is nothing to be said of it", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  for (let run = 0; run < 5; run++) {
    const log = await openLog(storage);
    await write(log, 2, run * 2);
    if (run % 2 === 0) await log.close("end");
  }
  const { findings, notes, entries } = await verifyStorage(storage);
  assertEquals([findings, notes, entries], [[], [], 18] as unknown[]);
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

Deno.test("of what stands behind the head only what follows from it is taken over", () => {
  const chain = makeChain(4);
  const forged = chain.lines[3]!.replace(/"prev":"..../, '"prev":"ffff');
  const text = `${chain.lines.slice(0, 3).join("\n")}\n${forged}\n`;
  const tail = new TextEncoder().encode(text);
  const head = { seq: 2, hash: hashLine(chain.lines[1]!) };
  const { point, tornBytes, entries } = continueAuditLog({ tail, head });
  assertEquals([point.seq, tornBytes], [3, forged.length + 1]);
  assertEquals(entries, [{
    event: "log-recovered",
    unsealed: 1,
    torn_bytes: forged.length + 1,
    torn_sha256: hashLine(`${forged}\n`),
  }]);
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

Deno.test("whenever the power goes, what was sealed is there, and nothing looks like an attack", async () => {
  const random = new Random(12);
  for (let round = 0; round < 1500; round++) {
    let storage = new MemoryAuditStorage(random);
    const limits = { fileBytesMax: random.pick([700, 3000]), filesMax: 3 + random.below(3) };
    let sealed: string[] = [];
    for (let run = 0; run < 4; run++) {
      storage.fuse = run === 3 ? Infinity : 1 + random.below(30);
      let log: AuditLog | null = null;
      let written: string[] = [];
      try {
        log = await openLog(storage, limits);
        for (let i = 0; i < 6; i++) {
          const count = 1 + random.below(3);
          const clients = Array.from({ length: count }, (_, k) => `c${run * 100 + i * 10 + k}`);
          await write(log, count, run * 100 + i * 10);
          if (log.trouble !== null) break;
          written.push(...clients);
        }
        await log.close("end");
      } catch { /* The power went while it was opened. */ }
      sealed = [...sealed, ...written];
      written = [];
      if (run < 3) storage = storage.reboot();
    }
    const { findings, first } = await verifyStorage(storage);
    assertEquals(findings, [], `round ${round}`);
    const present = new Set(await clientsOf(storage));
    // Files that were removed for their age take their entries with them.
    if (first === 1) {
      assertEquals(sealed.filter((client) => !present.has(client)), [], `round ${round}`);
    }
  }
});

Deno.test("what is taken away between two runs stays visible for ever", async () => {
  const takings: [string, (bytes: Uint8Array) => Uint8Array, RegExp][] = [
    ["the end", (bytes) => bytes.slice(0, bytes.lastIndexOf(10, -2) + 1), /gap/],
    ["half a line", (bytes) => bytes.slice(0, -20), /gap/],
    ["everything", () => new Uint8Array(0), /damaged/],
    [
      "a byte of the last line",
      (bytes) => bytes.with(bytes.length - 30, 0x41),
      /unreadable|edited/,
    ],
    [
      "a word of the last line",
      (bytes) => bytes.with(bytes.lastIndexOf(0x65, -80), 0x45),
      /edited/,
    ],
    ["the last line for noise", (bytes) => bytes.fill(0x20, bytes.length - 100, -1), /unreadable/],
  ];
  for (const [name, take, expected] of takings) {
    const storage = new MemoryAuditStorage(new Random(1));
    await (await openLog(storage)).close("end");
    storage.files.set(AUDIT_FILE, take(storage.files.get(AUDIT_FILE)!));
    for (let run = 0; run < 3; run++) await (await openLog(storage)).close("end");
    const found = kinds((await verifyStorage(storage)).findings).join();
    assertStringIncludes(found, "damaged", name);
    assert(expected.test(found), `${name}: ${found}`);
  }
});

Deno.test("a head that is taken away is recorded, and so is a log without it", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  await (await openLog(storage)).close("end");
  storage.head = "";
  await (await openLog(storage)).close("end");
  assertEquals(kinds((await verifyStorage(storage)).findings), ["damaged 3"]);
});

Deno.test("entries that a crash left behind the head are taken over and recorded", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage);
  const before = storage.head;
  await write(log, 2);
  storage.head = before;
  const torn = '{"seq":4,"time"';
  const bytes = storage.files.get(AUDIT_FILE)!;
  storage.files.set(AUDIT_FILE, Uint8Array.from([...bytes, ...new TextEncoder().encode(torn)]));
  await (await openLog(storage)).close("end");
  const recovered = (await entriesOf(storage))[3]!;
  assertEquals([recovered.event, recovered.unsealed, recovered.torn_bytes], [
    "log-recovered",
    2,
    torn.length,
  ] as unknown[]);
  assertEquals((await verifyStorage(storage)).findings, []);
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
