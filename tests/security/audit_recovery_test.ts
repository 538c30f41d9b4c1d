/** The audit log behind a power cut, and behind somebody's hands. */
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { AUDIT_FILE, type AuditLog, continueAuditLog, hashLine } from "../../src/security/mod.ts";
import { clientsOf, entriesOf, kinds, makeChain, openLog, verifyStorage, write } from "./_audit.ts";
import { MemoryAuditStorage } from "./_memory_audit_storage.ts";

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

Deno.test("the entry that the head names is found, also where much was written behind it", async () => {
  const storage = new MemoryAuditStorage(new Random(1));
  const log = await openLog(storage, { queueBytesMax: 1_000_000 });
  const before = storage.head;
  await write(log, 700);
  assertGreater(storage.files.get(AUDIT_FILE)!.length, 100_000);
  storage.head = before;
  await (await openLog(storage)).close("end");
  const recovered = (await entriesOf(storage)).find(({ event }) => event === "log-recovered");
  assertEquals(recovered?.unsealed, 700);
  assertEquals((await verifyStorage(storage)).findings, []);
});
