/** What a flood of failing logins can do to the table of the guard, and to others. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { ipv4Address, ipv6Address } from "../../src/security/mod.ts";
import { guard, LIMITS, lockOut, PEER } from "./_logins.ts";

Deno.test("who fails once is not locked out because many others were, some time ago", () => {
  const logins = guard();
  for (let i = 0; i < 100; i++) lockOut(logins, ipv4Address(i), 1);
  for (let i = 0; i < 10; i++) assertEquals(logins.failed(ipv4Address(1000 + i), 6000), null);
});

Deno.test("of lock-outs only the one that ends first is given up, whatever came first", () => {
  const logins = guard({ addressesMax: 10 });
  for (let strike = 0; strike < 3; strike++) lockOut(logins, PEER, 1);
  for (let i = 0; i < 9; i++) lockOut(logins, ipv4Address(i), 10);
  for (let i = 0; i < 200; i++) logins.failed(ipv4Address(1000 + i), 20 + i);
  assertEquals(logins.allowed(PEER, 300).allowed, false);
  assertEquals(logins.allowed(ipv4Address(0), 300).allowed, true);
});

Deno.test("going round more addresses than fit does not buy more guesses for each", () => {
  const logins = guard();
  let locked = 0;
  for (let i = 0; i < 1000; i++) if (logins.failed(ipv4Address(i), 1) !== null) locked++;
  assertGreater(locked, 600, "newcomers inherit the failures of whom they push out");
  assertEquals(logins.addresses, LIMITS.addressesMax);
});

Deno.test("an attacker with many addresses does not free one of them cheaply", () => {
  const logins = guard({ lockOutMsMax: 5000 });
  for (let i = 0; i < 99; i++) lockOut(logins, ipv4Address(i), 1);
  lockOut(logins, PEER, 2);
  let failures = 0;
  while (!logins.allowed(PEER, 3).allowed && failures < 1000) {
    logins.failed(ipv4Address(1000 + failures++), 3);
  }
  assertGreater(failures, 99);
  assertEquals(logins.lockOutsEvicted, failures);
  assert(logins.failed(PEER, 3) !== null, "and then it has one guess");
});

Deno.test("an attacker with a /48 does not push out anybody, however many addresses he uses", () => {
  const logins = guard();
  lockOut(logins, PEER, 1);
  for (let i = 0; i < 65_536; i++) {
    const subnet = ipv6Address([0x20010db8, 5 * 65_536 + i, 0, 1]);
    for (let guess = 0; guess < 3 && logins.allowed(subnet, 2).allowed; guess++) {
      logins.failed(subnet, 2);
    }
  }
  assertEquals(logins.allowed(PEER, 3).allowed, false);
  assertEquals([logins.locked, logins.addresses, logins.lockOutsEvicted], [2, 2, 0]);
});

Deno.test("clients that do not fail are let in during any flood", () => {
  const logins = guard();
  const random = new Random(5);
  for (let i = 0; i < 20_000; i++) {
    logins.failed(ipv4Address(random.below(5000)), i);
    const good = ipv4Address(0x0a000000 + random.below(256));
    assertEquals(logins.allowed(good, i).allowed, true);
    logins.succeeded(good, i);
  }
});

Deno.test("whatever happens, the table keeps its bound and empties itself", () => {
  const random = new Random(6);
  for (const addressesMax of [1, 2, 7, 100]) {
    const logins = guard({ addressesMax });
    let nowMs = 1;
    for (let step = 0; step < 20_000; step++) {
      nowMs += random.oneIn(100) ? random.below(20_000) : random.below(20);
      const peer = random.oneIn(2)
        ? ipv4Address(random.below(300))
        : ipv6Address([1, random.below(1 << 20), 0, 0]);
      if (random.oneIn(8)) logins.succeeded(peer, nowMs);
      else logins.failed(peer, nowMs);
      assert(logins.addresses <= addressesMax);
      assert(logins.locked <= logins.addresses && logins.locked >= 0);
    }
    for (let step = 1; step < 400; step++) logins.failed(PEER, nowMs + step * 100_000);
    assertEquals([logins.addresses, logins.locked], [1, 0]);
  }
});

Deno.test("a failure in a full table costs microseconds", () => {
  const logins = guard({ addressesMax: 10_000 });
  const startedMs = performance.now();
  for (let i = 0; i < 200_000; i++) logins.failed(ipv4Address(i % 50_000), i / 100);
  assertLess(performance.now() - startedMs, 20_000);
});
