/** Rates: what passes, what has to wait, and for how long. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  type ConnectionLimits,
  ConnectionRates,
  IpSet,
  ipv4Address,
  ipv6Address,
  makeRate,
  parseIpNetwork,
  type Rate,
  TokenBucket,
  type TrafficLimits,
  TrafficRates,
} from "../../src/security/mod.ts";

const UNLIMITED = { publishesPerSecond: 0, publishesBurst: 0, bytesPerSecond: 0, bytesBurst: 0 };

function ratesOf(options: {
  each?: Partial<TrafficLimits>;
  all?: Partial<TrafficLimits>;
  overLimit?: "hold" | "close";
}): TrafficRates {
  return new TrafficRates({
    each: { ...UNLIMITED, ...options.each },
    all: { ...UNLIMITED, ...options.all },
    overLimit: options.overLimit ?? "hold",
  });
}

function rate(perSecond: number, burst: number): Rate {
  return makeRate(perSecond, burst)!;
}

Deno.test("a bucket gives its burst at once and then its rate", () => {
  const bucket = new TokenBucket(rate(10, 3));
  assertEquals([1, 1, 1, 1].map((n) => bucket.take(n, 1000)), [0, 0, 0, 100]);
  assertEquals(bucket.take(1, 1099), 1);
  assertEquals(bucket.take(1, 1100), 0);
  assertEquals(bucket.take(2, 1100), 200);
  assertEquals(bucket.take(4, 1100), Infinity);
  assertEquals(
    [1, 1, 1, 1].map((n) => bucket.take(n, 9000)),
    [0, 0, 0, 100],
    "no more than a burst",
  );
});

Deno.test("what has happened is charged, and the debt takes its time", () => {
  const bucket = new TokenBucket(rate(1000, 100));
  assertEquals(bucket.charge(100, 1), 0);
  assertEquals(bucket.charge(65_536, 1), 65_536);
  assertEquals(bucket.charge(0, 60_001), 5536);
  assertEquals(bucket.charge(0, 65_537), 0);
  assertEquals(bucket.charge(1, 65_537), 1);
});

Deno.test("rates that let nothing pass are refused, and 0 is no limit", () => {
  assertEquals(makeRate(0, 0), null);
  for (const [perSecond, burst] of [[-1, 1], [NaN, 1], [1, 0], [1, 0.5], [1, NaN]] as const) {
    assertThrows(() => makeRate(perSecond, burst), RangeError);
  }
});

Deno.test("whatever is taken and when, no time sees more than its rate and one burst", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const perSecond = 1 + random.below(5000);
    const burst = 1 + random.below(200);
    const bucket = new TokenBucket(rate(perSecond, burst));
    const taken: { atMs: number; n: number }[] = [];
    let nowMs = 1 + random.below(1_000_000_000);
    for (let step = 0; step < 60; step++) {
      nowMs += random.oneIn(8) ? random.below(3000) : random.below(3);
      const n = 1 + random.below(burst);
      const waitMs = bucket.take(n, nowMs);
      if (waitMs > 0) {
        assert(new TokenBucket(rate(perSecond, burst)).take(n, 1) === 0, "a full bucket has it");
        // Neither sooner, nor later than told.
        assert(bucket.take(n, nowMs + waitMs - 1) > 0);
        nowMs += waitMs;
        assertEquals(bucket.take(n, nowMs), 0);
      }
      taken.push({ atMs: nowMs, n });
    }
    for (let from = 0; from < taken.length; from++) {
      let sum = 0;
      for (const { atMs, n } of taken.slice(from)) {
        sum += n;
        const most = burst + (atMs - taken[from]!.atMs) * perSecond / 1000;
        assertLess(sum, most + 1e-3, `${perSecond}/s, burst ${burst}`);
      }
    }
  }
});

Deno.test("who waits as long as told keeps to the rate, and gets all of it", () => {
  const random = new Random(8);
  for (let round = 0; round < 100; round++) {
    const perSecond = 1000 + random.below(1_000_000);
    const bucket = new TokenBucket(rate(perSecond, 65_536));
    let nowMs = 1;
    let sum = 0;
    while (nowMs < 10_000_000 && sum < perSecond * 1000) {
      const n = 1 + random.below(65_536);
      sum += n;
      nowMs += bucket.charge(n, nowMs);
    }
    const seconds = (nowMs - 1) / 1000;
    const most = perSecond * seconds + 65_536 * 2;
    const least = perSecond * seconds - 65_536 * 2 - sum / 65_536 * 2 * perSecond / 1000;
    assert(sum <= most && sum >= least, `${sum} in ${seconds} s at ${perSecond}`);
  }
});

Deno.test("a client waits for its own limit and for that of all, whichever is longer", () => {
  const rates = new TrafficRates({
    each: { ...UNLIMITED, publishesPerSecond: 10, publishesBurst: 10 },
    all: { publishesPerSecond: 15, publishesBurst: 15, bytesPerSecond: 1000, bytesBurst: 1000 },
    overLimit: "hold",
  });
  const [a, b] = [rates.client("a")!, rates.client("b")!];
  assertEquals(a.publishes(10, 1), 0);
  assertEquals(a.publishes(1, 1), 100, "its own");
  assertEquals(b.publishes(6, 1), 134, "that of all");
  assertEquals(b.bytes(1000, 1), 0);
  assertEquals(a.bytes(500, 1), 500);
});

Deno.test("where nothing is limited a client has no buckets", () => {
  assertEquals(ratesOf({}).client("a"), null);
});

Deno.test("a bucket tells how many whole tokens are there, and gives just so many", () => {
  const random = new Random(9);
  for (let round = 0; round < 500; round++) {
    const bucket = new TokenBucket(rate(1 + random.below(5000), 1 + random.below(200)));
    let nowMs = 1 + random.below(1_000_000);
    for (let step = 0; step < 20; step++) {
      nowMs += random.below(500);
      const left = bucket.left(nowMs);
      assert(bucket.take(left + 1, nowMs) > 0, "one more is not there");
      if (left > 0) assertEquals(bucket.take(left, nowMs), 0);
      assertEquals(bucket.left(nowMs), 0);
      bucket.charge(random.below(300), nowMs);
    }
  }
});

Deno.test("while a bucket of all is empty everybody has a turn, however small", () => {
  const all = { publishesPerSecond: 10_000, publishesBurst: 100 };
  const rates = ratesOf({ all });
  const [greedy, modest] = [rates.client("greedy")!, rates.client("modest")!];
  assertEquals(greedy.publishesRoom(1), 100);
  assertEquals(greedy.publishes(100, 1), 0);
  assertEquals(greedy.publishesRoom(1), 10, "1 ms of the rate");
  assertEquals(greedy.publishes(10, 1), 1);
  const waits = Array.from({ length: 9 }, () => modest.publishes(1, 1));
  assertEquals(waits, Array(9).fill(0), "the debt of another one is not its own");
  assertEquals(modest.publishesRoom(1), 1);
  assertEquals(modest.publishes(1, 1), 2, "20 messages at 10 a ms");
});

Deno.test("a client that comes back finds its bucket as it left it", () => {
  const rates = ratesOf({ each: { publishesPerSecond: 10, publishesBurst: 10 } });
  const first = rates.client("a")!;
  first.publishes(12, 1);
  first.leave(1);
  assertEquals(rates.debtors, 1);
  const again = rates.client("a")!;
  assertEquals(rates.debtors, 0);
  assertEquals(again.debtMs(1), 200);
  assertEquals(again.debtMs(201), 0);
  assertEquals(rates.client("b")!.debtMs(1), 0);
  again.leave(2_000);
  assertEquals(rates.debtors, 0, "a full one is as good as a new one");
});

Deno.test("debts that are remembered are bounded, and forgotten when they are paid", () => {
  const rates = ratesOf({ each: { bytesPerSecond: 1, bytesBurst: 1 } });
  for (let i = 0; i < 10_500; i++) {
    const rate = rates.client(`c${i}`)!;
    rate.bytes(1_000, 1 + i);
    rate.leave(1 + i);
    assert(rates.debtors <= 10_000);
  }
  assertEquals(rates.client("c400")!.debtMs(10_500), 0, "who left first was forgotten");
  assert(rates.client("c10400")!.debtMs(10_500) > 0);
  const late = rates.client("late")!;
  late.bytes(10, 100_000_000);
  late.leave(100_000_000);
  assertEquals(rates.debtors, 1);
});

Deno.test("where a limit of its own closes, that of all only holds", () => {
  const limits = { publishesPerSecond: 10, publishesBurst: 10 };
  const own = ratesOf({ each: limits, overLimit: "close" }).client("a")!;
  assertEquals([own.publishes(10, 1), own.publishes(1, 1)], [0, Infinity]);
  const shared = ratesOf({ all: limits, overLimit: "close" }).client("a")!;
  assertEquals([shared.publishes(10, 1), shared.publishes(1, 1)], [0, 100]);
});

const CONNECTIONS: ConnectionLimits = {
  perSecond: 100,
  burst: 10,
  perAddressPerSecond: 1,
  perAddressBurst: 2,
  addressesMax: 1000,
};

const NOBODY = new IpSet([]);

Deno.test("an address that opens too many connections is refused until it has waited", () => {
  const rates = new ConnectionRates(CONNECTIONS, NOBODY);
  const waits = Array.from({ length: 50 }, () => rates.refusalMs(ipv4Address(1), 1));
  assertEquals(waits, [0, 0, ...Array(48).fill(1000)]);
  assertEquals(rates.refusalMs(ipv4Address(2), 1), 0);
  assertEquals(rates.refusalMs(ipv4Address(1), 1000), 1);
  assertEquals(rates.refusalMs(ipv4Address(1), 1001), 0);
});

Deno.test("an IPv6 network of 64 bits and an IPv4 address in every spelling are one address", () => {
  const rates = new ConnectionRates(CONNECTIONS, NOBODY);
  const subnet = [1, 2, 3].map((low) => rates.refusalMs(ipv6Address([1, 1, 0, low]), 1));
  assertEquals(subnet, [0, 0, 1000]);
  assertEquals(rates.refusalMs(ipv6Address([1, 2, 0, 1]), 1), 0, "the next network");
  const mapped = ipv6Address([0, 0, 0xffff, 7]);
  assertEquals([mapped, ipv4Address(7), mapped].map((a) => rates.refusalMs(a, 1)), [0, 0, 1000]);
});

Deno.test("beyond the rate of all together accepting pauses, and debts add up", () => {
  const rates = new ConnectionRates(CONNECTIONS, NOBODY);
  const waits = Array.from({ length: 12 }, () => rates.opened(1));
  assertEquals(waits, [...Array(10).fill(0), 10, 20]);
  assertEquals(rates.opened(21), 10);
});

Deno.test("addresses that are exempt are never refused, and are not remembered", () => {
  const network = parseIpNetwork("10.0.0.0/8");
  if ("problem" in network) throw new Error(network.problem);
  const rates = new ConnectionRates(CONNECTIONS, new IpSet([network]));
  for (let i = 0; i < 50; i++) assertEquals(rates.refusalMs(ipv4Address(0x0a000001), 1), 0);
  assertEquals(rates.addresses, 0);
  assertEquals(rates.refusalMs(ipv4Address(0x0b000001), 1), 0);
  assertEquals(rates.addresses, 1);
});

Deno.test("0 a second is no limit", () => {
  const off = { ...CONNECTIONS, perSecond: 0, perAddressPerSecond: 0 };
  const rates = new ConnectionRates(off, NOBODY);
  for (let i = 0; i < 100; i++) {
    assertEquals([rates.refusalMs(ipv4Address(1), 1), rates.opened(1)], [0, 0]);
  }
});

Deno.test("the table of addresses keeps its bound, and forgets who is as good as new", () => {
  const rates = new ConnectionRates({ ...CONNECTIONS, addressesMax: 100 }, NOBODY);
  for (let i = 0; i < 5000; i++) {
    rates.refusalMs(ipv4Address(i), 1);
    assert(rates.addresses <= 100);
  }
  for (let i = 0; i < 200; i++) rates.refusalMs(ipv4Address(7), 100_000 + i * 10_000);
  assertEquals(rates.addresses, 1);
});

Deno.test("asking a bucket costs nanoseconds and no memory", () => {
  const client = new TrafficRates({
    each: { publishesPerSecond: 1e6, publishesBurst: 1e6, bytesPerSecond: 1e9, bytesBurst: 1e9 },
    all: { publishesPerSecond: 1e6, publishesBurst: 1e6, bytesPerSecond: 1e9, bytesBurst: 1e9 },
    overLimit: "hold",
  }).client("a")!;
  let waitMs = 0;
  let nowMs = 1;
  const rounds = Array.from({ length: 21 }, () => {
    const heap = Deno.memoryUsage().heapUsed;
    const startedMs = performance.now();
    for (let i = 0; i < 50_000; i++) {
      waitMs += client.bytes(64, nowMs) + client.publishes(1, nowMs++);
    }
    return {
      microseconds: (performance.now() - startedMs) * 1000 / 50_000,
      bytes: Deno.memoryUsage().heapUsed - heap,
    };
  });
  // Medians: the first rounds run before the code is compiled, and others may see a collection.
  const times = rounds.map(({ microseconds }) => microseconds).toSorted((a, b) => a - b);
  const sizes = rounds.map(({ bytes }) => bytes).toSorted((a, b) => a - b);
  assertLess(times[10]!, 5, "microseconds for four buckets");
  assertLess(sizes[10]!, 200_000, "not one number for each of 50,000");
  assert(waitMs >= 0);
});
