/** Brute force: who is locked out, for how long, and what a flood can do to the table. */
import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  type IpAddress,
  ipv4Address,
  ipv6Address,
  LoginGuard,
  type LoginGuardLimits,
  parseIpAddress,
  parseIpList,
  SITE_LOCK_OUTS,
} from "../../src/security/mod.ts";

const LIMITS: LoginGuardLimits = {
  failuresMax: 3,
  windowMs: 1000,
  lockOutMs: 5000,
  lockOutMsMax: 30_000,
  addressesMax: 100,
};

function guard(limits: Partial<LoginGuardLimits> = {}, exempt: string[] = []): LoginGuard {
  const parsed = parseIpList(exempt);
  if ("problems" in parsed) throw new Error("exempt");
  return new LoginGuard({ ...LIMITS, ...limits }, parsed.set);
}

function address(text: string): IpAddress {
  return parseIpAddress(text) as IpAddress;
}

const PEER = address("192.0.2.1");

function lockOut(logins: LoginGuard, peer: IpAddress, nowMs: number): void {
  for (let i = 0; i < LIMITS.failuresMax; i++) logins.failed(peer, nowMs);
}

Deno.test("failures within the window lock an address out, and the end is told", () => {
  const logins = guard();
  assertEquals(logins.failed(PEER, 10_000), null);
  assertEquals(logins.failed(PEER, 10_500), null);
  assertEquals(logins.allowed(PEER, 10_999), { allowed: true });
  const lock = { untilMs: 15_999, lockOutMs: 5000, strikes: 1, prefix: 32 as const };
  assertEquals(logins.failed(PEER, 10_999), lock);
  assertEquals(logins.allowed(PEER, 15_998), { allowed: false, untilMs: 15_999 });
  assertEquals(logins.allowed(PEER, 15_999), { allowed: true });
  assertEquals(logins.allowed(address("192.0.2.2"), 11_000), { allowed: true });
});

Deno.test("failures that lie further apart than the window never lock out", () => {
  const logins = guard();
  for (let i = 1; i < 100; i++) assertEquals(logins.failed(PEER, i * 500), null);
});

Deno.test("each lock-out takes twice as long, up to the longest, and is forgotten in the end", () => {
  const logins = guard();
  let nowMs = 1;
  for (const expected of [5000, 10_000, 20_000, 30_000, 30_000]) {
    logins.failed(PEER, nowMs);
    logins.failed(PEER, nowMs);
    const lock = logins.failed(PEER, nowMs)!;
    assertEquals(lock.lockOutMs, expected);
    nowMs = lock.untilMs;
  }
  nowMs += LIMITS.lockOutMsMax - 1;
  logins.failed(PEER, nowMs);
  logins.failed(PEER, nowMs);
  assertEquals(logins.failed(PEER, nowMs)!.lockOutMs, 30_000);
  nowMs += 30_000 + LIMITS.lockOutMsMax;
  logins.failed(PEER, nowMs);
  logins.failed(PEER, nowMs);
  assertEquals(logins.failed(PEER, nowMs)!.lockOutMs, 5000);
});

Deno.test("what is to be forgotten is forgotten even if many others are, too", () => {
  const logins = guard();
  for (let i = 0; i < 9; i++) lockOut(logins, ipv4Address(i), 1);
  lockOut(logins, PEER, 1);
  logins.failed(PEER, 50_000);
  logins.failed(PEER, 50_000);
  assertEquals(logins.failed(PEER, 50_000)?.strikes, 1);
});

Deno.test("who fails once is not locked out because many others were, some time ago", () => {
  const logins = guard();
  for (let i = 0; i < 100; i++) lockOut(logins, ipv4Address(i), 1);
  for (let i = 0; i < 10; i++) assertEquals(logins.failed(ipv4Address(1000 + i), 6000), null);
});

Deno.test("logins that had begun before the lock-out count towards the next one", () => {
  const logins = guard();
  const locks = Array.from({ length: 12 }, () => logins.failed(PEER, 1)?.strikes ?? 0);
  assertEquals(locks, [0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4]);
  assertEquals(logins.allowed(PEER, 30_000).allowed, false);
});

Deno.test("a success forgives, but only once in a window", () => {
  const logins = guard();
  logins.failed(PEER, 1);
  logins.failed(PEER, 1);
  logins.succeeded(PEER, 2);
  assertEquals(logins.failed(PEER, 3), null);
  assertEquals(logins.failed(PEER, 3), null);
  logins.succeeded(PEER, 4);
  assertEquals(logins.failed(PEER, 5)?.strikes, 1);
  logins.succeeded(PEER, 6);
  assertEquals(logins.allowed(PEER, 7).allowed, false, "a success does not end a lock-out");
});

Deno.test("an IPv6 /64 counts as one address", () => {
  const logins = guard();
  logins.failed(address("2001:db8:0:1::1"), 1);
  logins.failed(address("2001:db8:0:1::2"), 1);
  const lock = logins.failed(address("2001:db8:0:1:ffff::"), 1);
  assertEquals(lock?.prefix, 64);
  assertEquals(logins.allowed(address("2001:db8:0:1:a:b:c:d"), 2).allowed, false);
  assertEquals(logins.allowed(address("2001:db8:0:2::1"), 2).allowed, true);
});

Deno.test("many locked-out /64 of one /48 become one lock-out of the /48", () => {
  const logins = guard();
  function subnet(i: number, site = 7): IpAddress {
    return ipv6Address([0x20010db8, site * 65_536 + i, 0, 1]);
  }
  for (let i = 0; i < SITE_LOCK_OUTS - 1; i++) lockOut(logins, subnet(i), 1);
  assertEquals(logins.allowed(subnet(99), 2).allowed, true);
  logins.failed(subnet(50), 1);
  logins.failed(subnet(50), 1);
  assertEquals(logins.failed(subnet(50), 1)?.prefix, 48);
  assertEquals(logins.allowed(subnet(99), 2).allowed, false);
  assertEquals(logins.allowed(subnet(99, 8), 2).allowed, true);
  assertEquals([logins.addresses, logins.locked], [1, 1]);
  assertEquals(logins.allowed(subnet(0), 5001).allowed, true);
});

Deno.test("only /64 that are locked out at once become one, and apart again when that is over", () => {
  const logins = guard();
  function subnet(i: number): IpAddress {
    return ipv6Address([0x20010db8, 7 * 65_536 + i, 0, 1]);
  }
  for (let i = 0; i < SITE_LOCK_OUTS * 3; i++) {
    lockOut(logins, subnet(i), 1 + i * 1000);
    assertEquals(logins.allowed(subnet(99), 1 + i * 1000).allowed, true, "five at once are few");
  }
  for (let i = 0; i < SITE_LOCK_OUTS; i++) lockOut(logins, subnet(100 + i), 100_000);
  assertEquals(logins.allowed(subnet(99), 100_001).allowed, false);
  logins.failed(subnet(99), 106_000);
  logins.failed(subnet(99), 106_000);
  assertEquals(logins.failed(subnet(99), 106_000)?.prefix, 64);
});

Deno.test("of lock-outs only the one that ends first is given up, whatever came first", () => {
  const logins = guard({ addressesMax: 10 });
  for (let strike = 0; strike < 3; strike++) lockOut(logins, PEER, 1);
  for (let i = 0; i < 9; i++) lockOut(logins, ipv4Address(i), 10);
  for (let i = 0; i < 200; i++) logins.failed(ipv4Address(1000 + i), 20 + i);
  assertEquals(logins.allowed(PEER, 300).allowed, false);
  assertEquals(logins.allowed(ipv4Address(0), 300).allowed, true);
});

Deno.test("addresses that are exempt are never locked out, also after a reload", () => {
  const logins = guard({}, ["192.0.2.0/24"]);
  lockOut(logins, PEER, 1);
  assertEquals([logins.allowed(PEER, 2).allowed, logins.addresses], [true, 0]);
  const other = address("198.51.100.1");
  lockOut(logins, other, 1);
  assertEquals(logins.allowed(other, 2).allowed, false);
  const parsed = parseIpList(["198.51.100.1"]);
  if ("set" in parsed) logins.exempt = parsed.set;
  assertEquals(logins.allowed(other, 2).allowed, true);
});

Deno.test("the guard agrees with a naive one that remembers everything", () => {
  const random = new Random(4);
  for (let round = 0; round < 100; round++) {
    const logins = guard();
    const model = new NaiveGuard();
    const peers = Array.from({ length: 4 }, (_, i) => ipv4Address(i + round * 4));
    let nowMs = 1;
    for (let step = 0; step < 300; step++) {
      nowMs += random.oneIn(40) ? random.below(80_000) : random.below(600);
      const who = random.below(4);
      const untilMs = model.lockedUntil(who);
      const expected = untilMs > nowMs ? { allowed: false, untilMs } : { allowed: true };
      assertEquals(logins.allowed(peers[who]!, nowMs) as unknown, expected);
      if (random.oneIn(6)) {
        logins.succeeded(peers[who]!, nowMs);
        model.succeeded(who, nowMs);
      } else {
        assertEquals(logins.failed(peers[who]!, nowMs)?.untilMs ?? 0, model.failed(who, nowMs));
      }
    }
  }
});

/** The rules, written down without a thought of memory or time. */
class NaiveGuard {
  readonly #peers = Array.from({ length: 4 }, () => ({
    failures: [] as number[],
    strikes: 0,
    untilMs: 0,
    forgivenMs: -Infinity,
  }));

  lockedUntil(who: number): number {
    return this.#peers[who]!.untilMs;
  }

  succeeded(who: number, nowMs: number): void {
    const peer = this.#peers[who]!;
    if (peer.untilMs > nowMs || nowMs - peer.forgivenMs < LIMITS.windowMs) return;
    // Who has neither failures nor strikes has nothing to be forgiven.
    if (!peer.failures.some((ms) => ms > nowMs - LIMITS.windowMs) && peer.strikes === 0) return;
    peer.failures = [];
    peer.forgivenMs = nowMs;
  }

  failed(who: number, nowMs: number): number {
    const peer = this.#peers[who]!;
    if (nowMs >= peer.untilMs + LIMITS.lockOutMsMax) peer.strikes = 0;
    peer.failures = peer.failures.filter((ms) => ms > nowMs - LIMITS.windowMs).concat(nowMs);
    if (peer.failures.length < LIMITS.failuresMax) return 0;
    peer.failures = [];
    peer.strikes = Math.min(peer.strikes + 1, 4);
    peer.untilMs = nowMs + Math.min(5000 * 2 ** (peer.strikes - 1), LIMITS.lockOutMsMax);
    return peer.untilMs;
  }
}

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
  assertLess(performance.now() - startedMs, 5000);
});

Deno.test("limits that make no sense are refused", () => {
  for (
    const bad of [{ failuresMax: 0 }, { lockOutMsMax: 1 }, { windowMs: 0 }, { addressesMax: 0 }]
  ) {
    assertThrows(() => guard(bad), RangeError);
  }
});
