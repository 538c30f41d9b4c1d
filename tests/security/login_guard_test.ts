/** Brute force: who is locked out, and for how long. */
import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  type IpAddress,
  ipv4Address,
  ipv6Address,
  SITE_LOCK_OUTS,
} from "../../src/security/mod.ts";
import { address, guard, LIMITS, lockOut, PEER } from "./_logins.ts";

/** A network of 64 bits of a customer that has 48. */
function subnet(i: number, site = 7): IpAddress {
  return ipv6Address([0x20010db8, site * 65_536 + i, 0, 1]);
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

Deno.test("addresses that are exempt are never locked out", () => {
  const logins = guard({}, ["192.0.2.0/24"]);
  lockOut(logins, PEER, 1);
  assertEquals([logins.allowed(PEER, 2).allowed, logins.addresses], [true, 0]);
  const other = address("198.51.100.1");
  lockOut(logins, other, 1);
  assertEquals(logins.allowed(other, 2).allowed, false);
});

Deno.test("a guard with other limits knows who is locked out, how often, and who is near it", () => {
  const before = guard();
  const near = address("192.0.2.77");
  lockOut(before, PEER, 1);
  before.failed(near, 1);
  before.failed(near, 1);
  for (let i = 0; i < SITE_LOCK_OUTS - 1; i++) lockOut(before, subnet(i), 1);
  const after = guard({ failuresMax: 2 });
  after.inherit(before);
  assertEquals(after.allowed(PEER, 5_000), { allowed: false, untilMs: 5_001 });
  assertEquals([after.addresses, after.locked, after.lockOuts], [
    before.addresses,
    before.locked,
    before.lockOuts,
  ]);
  assertEquals(after.failed(near, 2)?.strikes, 1);
  // One more network of the same customer: all of it is locked out, as it would have been before.
  assertEquals(after.allowed(subnet(99), 2).allowed, true);
  lockOut(after, subnet(SITE_LOCK_OUTS), 2);
  assertEquals(after.allowed(subnet(99), 3).allowed, false);
  after.failed(PEER, 5_001);
  assertEquals(after.failed(PEER, 5_001)?.strikes, 2);
  const exempt = guard({}, ["192.0.2.0/24"]);
  exempt.inherit(before);
  assertEquals(exempt.allowed(PEER, 2).allowed, true);
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

Deno.test("limits that make no sense are refused", () => {
  for (
    const bad of [{ failuresMax: 0 }, { lockOutMsMax: 1 }, { windowMs: 0 }, { addressesMax: 0 }]
  ) {
    assertThrows(() => guard(bad), RangeError);
  }
});
