/** A flood of wrong passwords does not keep the others out: who is served next, and who not at all. */
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { FairQueue } from "../../src/security/_fair_queue.ts";
import { RecentLogins } from "../../src/security/recent_logins.ts";
import {
  formatPasswordHash,
  hashPassword,
  PasswordFile,
  PasswordGate,
} from "../../src/security/mod.ts";
import { encode } from "../support/security_files.ts";

const RIGHT = encode("right");
const WRONG = encode("wrong");

async function fileWith(...users: string[]): Promise<PasswordFile> {
  const lines = await Promise.all(users.map(async (user) => {
    const hash = await hashPassword(RIGHT, { iterations: 1_000 });
    return `${user}:${formatPasswordHash(hash)}`;
  }));
  const parsed = PasswordFile.parse(lines.join("\n"));
  assert(parsed.ok);
  return parsed.value;
}

/** Sends logins through a gate and notes in what order they are answered. */
class Rush {
  readonly answers: string[] = [];
  readonly gate: PasswordGate;
  readonly #file: PasswordFile;
  readonly #all: Promise<void>[] = [];

  constructor(gate: PasswordGate, file: PasswordFile) {
    this.gate = gate;
    this.#file = file;
  }

  send(source: string, password = WRONG): void {
    const verdict = this.gate.verify(this.#file, { userName: "u", password }, { source });
    this.#all.push(verdict.then((answer) => void this.answers.push(`${source} ${answer}`)));
  }

  async over(): Promise<readonly string[]> {
    await Promise.all(this.#all);
    return this.answers;
  }
}

Deno.test("every address has its turn, however many passwords another one sends", async () => {
  const rush = new Rush(new PasswordGate({ parallelMax: 1 }), await fileWith("u"));
  for (let guess = 0; guess < 20; guess++) rush.send("attacker");
  for (const source of ["a", "b"]) rush.send(source, RIGHT);
  const answers = await rush.over();
  const places = ["a right", "b right"].map((answer) => answers.indexOf(answer));
  assertEquals(places, [2, 3], answers.slice(0, 6).join());
});

Deno.test("where there is no room, the address that has most waiting gives way", async () => {
  const gate = new PasswordGate({ parallelMax: 1, waitingMax: 8 });
  const rush = new Rush(gate, await fileWith("u"));
  for (let guess = 0; guess < 30; guess++) rush.send("attacker");
  for (const source of ["a", "b", "c"]) rush.send(source, RIGHT);
  assertEquals([gate.waiting, gate.running], [8, 1]);
  const answers = await rush.over();
  assertEquals(answers.filter((answer) => answer.endsWith("right")).sort(), [
    "a right",
    "b right",
    "c right",
  ]);
  assertEquals(answers.filter((answer) => answer === "attacker wrong").length, 6);
  assertEquals(gate.statistics.refused, 24);
});

Deno.test("addresses that have logged in come before strangers, who still get every fourth turn", async () => {
  const gate = new PasswordGate({ parallelMax: 1 });
  const rush = new Rush(gate, await fileWith("u"));
  rush.send("plant", RIGHT);
  await rush.over();
  for (let address = 0; address < 200; address++) rush.send(`stranger-${address}`);
  for (let client = 0; client < 6; client++) rush.send("plant", RIGHT);
  const answers = await rush.over();
  // One stranger was being served; then of four turns one is theirs.
  const order = answers.slice(1, 10).map((answer) => answer.startsWith("plant") ? "plant" : "?");
  assertEquals(order, ["?", "plant", "plant", "?", "plant", "plant", "plant", "?", "plant"]);
});

Deno.test("a full queue of strangers refuses no address that has logged in", async () => {
  const gate = new PasswordGate({ parallelMax: 1, waitingMax: 4 });
  const rush = new Rush(gate, await fileWith("u"));
  rush.send("plant", RIGHT);
  await rush.over();
  for (let address = 0; address < 50; address++) rush.send(`stranger-${address}`);
  for (let client = 0; client < 4; client++) rush.send("plant", RIGHT);
  const answers = await rush.over();
  assertEquals(answers.filter((answer) => answer === "plant right").length, 5);
});

Deno.test("a wrong password does not make an address known", async () => {
  const gate = new PasswordGate({ parallelMax: 1 });
  const rush = new Rush(gate, await fileWith("u"));
  rush.send("attacker");
  await rush.over();
  for (let address = 0; address < 10; address++) rush.send(`stranger-${address}`);
  rush.send("attacker");
  const answers = await rush.over();
  assertEquals(answers.indexOf("attacker wrong", 1), answers.length - 1);
});

Deno.test("a login is remembered for its time, and only with user, password and line as they were", async () => {
  let nowMs = 1;
  const gate = new PasswordGate({ memoryMs: 1_000 }, () => nowMs);
  const [file, other] = [await fileWith("u", "v"), await fileWith("u")];
  const login = (userName: string, password: Uint8Array, from = file) =>
    gate.verify(from, { userName, password });
  const hashed = async (act: Promise<string>): Promise<[string, number]> => {
    const before = gate.statistics.hashed;
    return [await act, gate.statistics.hashed - before];
  };
  assertEquals(await hashed(login("u", RIGHT)), ["right", 1]);
  assertEquals(await hashed(login("u", RIGHT)), ["right", 0]);
  assertEquals(await hashed(login("u", WRONG)), ["wrong", 1]);
  assertEquals(await hashed(login("u", WRONG)), ["wrong", 1]);
  assertEquals(await hashed(login("v", RIGHT)), ["right", 1]);
  assertEquals(await hashed(login("u", RIGHT, other)), ["right", 1]);
  assertEquals(await hashed(login("nobody", RIGHT)), ["wrong", 1]);
  assertEquals(await hashed(login("nobody", RIGHT)), ["wrong", 1]);
  nowMs += 999;
  assertEquals(await hashed(login("u", RIGHT)), ["right", 0]);
  nowMs += 999;
  assertEquals(await hashed(login("u", RIGHT)), ["right", 0], "since it was last used");
  nowMs += 1_000;
  assertEquals(await hashed(login("u", RIGHT)), ["right", 1]);
  gate.forget();
  assertEquals(await hashed(login("u", RIGHT)), ["right", 1]);
});

Deno.test("what is remembered is bounded, and the oldest goes first", () => {
  const logins = new RecentLogins({ entriesMax: 3, lifetimeMs: 100 });
  for (const name of ["a", "b", "c"]) logins.add(name, 1);
  assertEquals(logins.knows("a", 2), true);
  logins.add("d", 2);
  assertEquals(["a", "b", "c", "d"].map((name) => logins.knows(name, 3)), [
    true,
    false,
    true,
    true,
  ]);
  logins.add("e", 200);
  assertEquals(logins.size, 1);
  assertEquals(
    new RecentLogins({ entriesMax: 3, lifetimeMs: 0 }).nameOf(
      { userName: "u", password: null },
      undefined,
    ),
    null,
  );
});

Deno.test("a fair queue loses nothing, keeps its bound and the order of each source", () => {
  const random = new Random(11);
  for (const max of [1, 3, 20]) {
    const queue = new FairQueue<{ source: string; id: number }>(max);
    const waiting = new Map<string, number[]>();
    for (let id = 1; id < 5_000; id++) {
      if (random.oneIn(3)) {
        const item = queue.shift();
        const sizes = [...waiting.values()].reduce((sum, { length }) => sum + length, 0);
        assertEquals(item === null, sizes === 0);
        if (item !== null) assertEquals(waiting.get(item.source)!.shift(), item.id);
        continue;
      }
      const source = `s${random.below(6)}`;
      const evicted = queue.push(source, { source, id });
      const own = waiting.get(source) ?? [];
      own.push(id);
      waiting.set(source, own);
      if (evicted !== null) assertEquals(waiting.get(evicted.source)!.pop(), evicted.id);
      assert(queue.size <= max);
    }
  }
});
