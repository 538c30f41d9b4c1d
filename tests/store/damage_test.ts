/** Whatever happens to the files, the store opens, and what it then holds was there before. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openOrQuarantine, type QuarantineReport } from "../../src/store/quarantine.ts";
import { damageReason } from "../../src/store/sqlite_schema.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";
import {
  INLINE_BYTES,
  isPlantPayload,
  laidOut,
  PAGE_BYTES,
  type PlantFiles,
  plantFiles,
  type PlantRows,
  rowsOf,
} from "./_plant.ts";
import { Random } from "./_random_records.ts";

const SEEDS = 8;
const OPEN_MS_MAX = 10_000;
const OPTIONS = { walBytesMax: 4_194_304, durability: "commit" } as const;
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

type Damaged = { main: Uint8Array<ArrayBuffer> | null; wal: Uint8Array<ArrayBuffer> };
type Damage = (files: PlantFiles, random: Random) => Damaged;

/** What payloads can be told to be wrong afterwards. */
type Trust = "all" | "inline" | "none";

const PLANTS = [1, 2].flatMap((seed) => [
  plantFiles(seed, { keepLog: false }),
  plantFiles(seed, { keepLog: true }),
]);

/** Opens what is left, checks everything that must hold always, and gives the rows. */
function opened(damaged: Damaged, trust: Trust, hint: string): {
  rows: PlantRows;
  quarantine: QuarantineReport | null;
} {
  const path = laidOut(damaged);
  const startedMs = performance.now();
  const { database, chunks, quarantine } = openOrQuarantine(path, OPTIONS, NOW_MS);
  assertGreater(OPEN_MS_MAX, performance.now() - startedMs, hint);
  readState(chunks);
  database.close();
  const check = new DatabaseSync(path);
  assertEquals(damageReason(check), null, hint);
  check.close();
  if (quarantine !== null) {
    const { movedTo, trouble } = quarantine;
    assertEquals(trouble, null, hint);
    assertEquals(movedTo, `${path}.damaged-20260102T030405Z`);
    if (damaged.main !== null) assert(same(Deno.readFileSync(movedTo), damaged.main), hint);
    if (damaged.wal.length > 0) {
      assert(same(Deno.readFileSync(`${movedTo}-wal`), damaged.wal), hint);
    }
  }
  const rows = rowsOf(path);
  for (const table of ["message", "retained", "will", "dead_letter"] as const) {
    for (const [key, content] of rows[table]) {
      const isKnown = trust === "all" || (trust === "inline" && content.length < INLINE_BYTES);
      if (isKnown) assert(isPlantPayload(content), `${hint}: ${table} ${key}`);
    }
  }
  return { rows, quarantine };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function pageOf({ main }: PlantFiles, random: Random): number {
  return random.below(main.length / PAGE_BYTES) * PAGE_BYTES;
}

function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

const DAMAGES: Readonly<Record<string, readonly [Trust, Damage]>> = {
  "cut off anywhere": ["all", ({ main, wal }, random) => {
    return { main: main.slice(0, random.below(main.length)), wal };
  }],
  "cut off at a page": ["all", (files, random) => {
    return { main: files.main.slice(0, pageOf(files, random)), wal: files.wal };
  }],
  "all NUL": ["all", ({ main }) => ({ main: main.fill(0), wal: new Uint8Array() })],
  "all NUL beside its log": ["all", ({ main, wal }) => ({ main: main.fill(0), wal })],
  "a page of NUL": ["inline", (files, random) => {
    const at = pageOf(files, random);
    return { main: files.main.fill(0, at, at + PAGE_BYTES), wal: files.wal };
  }],
  "the first page NUL": ["all", ({ main, wal }) => ({ main: main.fill(0, 0, PAGE_BYTES), wal })],
  "the first page and another NUL": ["inline", (files, random) => {
    const at = pageOf(files, random);
    files.main.fill(0, 0, PAGE_BYTES);
    return { main: files.main.fill(0, at, at + PAGE_BYTES), wal: files.wal };
  }],
  "many pages NUL": ["inline", (files, random) => {
    for (let count = 0; count < 20; count++) {
      const at = pageOf(files, random);
      files.main.fill(0, at, at + PAGE_BYTES);
    }
    return files;
  }],
  "a page of random bytes": ["inline", (files, random) => {
    files.main.set(randomBytes(random, PAGE_BYTES), pageOf(files, random));
    return files;
  }],
  "a sector of random bytes": ["none", ({ main, wal }, random) => {
    main.set(randomBytes(random, 512), random.below(main.length / 512) * 512);
    return { main, wal };
  }],
  "bits flipped": ["none", ({ main, wal }, random) => {
    for (let count = 1 + random.below(30); count > 0; count--) {
      main[random.below(main.length)]! ^= 1 << random.below(8);
    }
    return { main, wal };
  }],
  "bits flipped in the header": ["none", ({ main, wal }, random) => {
    // Not in the last byte of the version: a newer one may be there rightly.
    for (const at of [random.below(60), 64 + random.below(60)]) main[at]! ^= 1 << random.below(8);
    return { main, wal };
  }],
  "two pages swapped": ["inline", (files, random) => {
    const { main } = files;
    const [a, b] = [pageOf(files, random), pageOf(files, random)];
    const page = main.slice(a, a + PAGE_BYTES);
    main.copyWithin(a, b, b + PAGE_BYTES);
    main.set(page, b);
    return files;
  }],
  "the size of pages is wrong": ["inline", ({ main, wal }, random) => {
    main.set([1 << random.below(8), 0], 16);
    return { main, wal };
  }],
  "pages of another size": ["inline", ({ main, wal }, random) => {
    main.set(randomBytes(random, 1024), 0);
    main.copyWithin(1024, 0, main.length - 1024);
    return { main, wal };
  }],
  "random bytes": ["all", ({ main }, random) => {
    return { main: randomBytes(random, random.below(main.length)), wal: new Uint8Array() };
  }],
  "log cut off": ["all", ({ main, wal }, random) => {
    return { main, wal: wal.slice(0, random.below(wal.length + 1)) };
  }],
  "log away": ["all", ({ main }) => ({ main, wal: new Uint8Array() })],
  "log all NUL": ["all", ({ main, wal }) => ({ main, wal: wal.fill(0) })],
  "log with random bytes": ["inline", ({ main, wal }, random) => {
    if (wal.length > 0) wal.set(randomBytes(random, 64), random.below(wal.length - 64));
    return { main, wal };
  }],
  "only the log": ["all", ({ wal }) => ({ main: null, wal })],
  "an empty file beside the log": ["all", ({ wal }) => ({ main: new Uint8Array(), wal })],
};

for (const [what, [trust, damage]] of Object.entries(DAMAGES)) {
  Deno.test(`a database opens and holds nothing wrong: ${what}`, () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { main, wal } = PLANTS[seed % PLANTS.length]!;
      const files = { main: main.slice(), wal: wal.slice() };
      opened(damage(files, new Random(seed)), trust, `${what}, seed ${seed}`);
    }
  });
}
