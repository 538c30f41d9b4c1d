/** The gate: passwords are checked beside the event loop, a bounded number at once. */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  formatPasswordHash,
  hashPassword,
  PasswordFile,
  PasswordGate,
} from "../../src/security/mod.ts";

const SECRET = new TextEncoder().encode("secret");

async function fileWith(iterations: number): Promise<PasswordFile> {
  const hash = await hashPassword(SECRET, { iterations });
  const parsed = PasswordFile.parse(`u:${formatPasswordHash(hash)}`);
  assert(parsed.ok);
  return parsed.value;
}

Deno.test("the gate runs no more checks at once than it may and refuses those beyond its queue", async () => {
  const file = await fileWith(1_000);
  const gate = new PasswordGate({ parallelMax: 2, waitingMax: 3 });
  let most = 0;
  const checks = Array.from({ length: 8 }, async (_, i) => {
    const password = i % 2 === 0 ? SECRET : null;
    const verdict = await gate.verify(file, { userName: "u", password });
    most = Math.max(most, gate.running);
    return verdict;
  });
  assertEquals([gate.running, gate.waiting, gate.statistics.refused], [2, 3, 3]);
  assertEquals(await Promise.all(checks), [
    "right",
    "wrong",
    "right",
    "wrong",
    "right",
    "busy",
    "busy",
    "busy",
  ]);
  assertEquals([gate.running, gate.waiting, most <= 2], [0, 0, true]);
  assertEquals(await gate.verify(file, { userName: "u", password: SECRET }), "right");
});

Deno.test("a caller may use its buffer again while the gate still waits", async () => {
  const file = await fileWith(1_000);
  const gate = new PasswordGate({ parallelMax: 1, waitingMax: 8 });
  const buffer = SECRET.slice();
  const verdicts = [1, 2, 3].map(() => gate.verify(file, { userName: "u", password: buffer }));
  buffer.fill(0);
  assertEquals(await Promise.all(verdicts), ["right", "right", "right"]);
});

Deno.test("checking a password does not hold the event loop up", async () => {
  const file = await fileWith(2_000_000);
  const gate = new PasswordGate({ parallelMax: 1, waitingMax: 8 });
  const gaps: number[] = [];
  let done = false;
  const startedMs = performance.now();
  const check = gate.verify(file, { userName: "u", password: SECRET }).finally(() => done = true);
  for (let last = startedMs; !done;) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  assertEquals(await check, "right");
  const tookMs = performance.now() - startedMs;
  gaps.sort((a, b) => a - b);
  // Done on the loop, it would be one gap as long as all of it.
  assertLess(gaps.at(-1)!, tookMs / 2);
  assertLess(gaps[gaps.length >> 1]!, tookMs / 10);
});
