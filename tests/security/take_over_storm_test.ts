/** The same Client Identifier in two places. */
import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { type TakeOverLimits, TakeOverStorms } from "../../src/security/mod.ts";

const LIMITS: TakeOverLimits = {
  returnsMax: 4,
  sameAddressMax: 0,
  windowMs: 60_000,
  dampMs: 10_000,
  dampMsMax: 40_000,
  clientsMax: 50,
};

function storms(limits: Partial<TakeOverLimits> = {}): TakeOverStorms {
  return new TakeOverStorms({ ...LIMITS, ...limits });
}

/** Two places that take the identifier from each other as soon as they may; moments of success. */
function fight(
  watch: TakeOverStorms,
  options: { forMs: number; everyMs: number },
): { takenMs: number[]; dampings: string[][]; beginsMs: number[] } {
  const places = ["10.0.0.1", "10.0.0.2"];
  let holder = 0;
  const takenMs: number[] = [];
  const dampings: string[][] = [];
  const beginsMs: number[] = [];
  for (let nowMs = 1; nowMs < options.forMs; nowMs += options.everyMs) {
    const newcomer = 1 - holder;
    const verdict = watch.judge({
      clientIdentifier: "press",
      holder: places[holder]!,
      newcomer: places[newcomer]!,
    }, nowMs);
    if (verdict.allowed) {
      holder = newcomer;
      takenMs.push(nowMs);
    } else if (verdict.begins) {
      dampings.push([...verdict.addresses]);
      beginsMs.push(nowMs);
    }
  }
  return { takenMs, dampings, beginsMs };
}

Deno.test("two places in a loop are found, named and damped, longer each time", () => {
  const watch = storms();
  const { takenMs, dampings, beginsMs } = fight(watch, { forMs: 600_000, everyMs: 100 });
  assertEquals(takenMs.slice(0, 4), [1, 101, 201, 301], "the first loses it, three come back");
  for (const addresses of dampings) assertEquals(addresses.toSorted(), ["10.0.0.1", "10.0.0.2"]);
  assertEquals(beginsMs.slice(0, 4), [401, 10_401, 30_401, 70_501]);
  // 10 + 20 + 40 s, then 40 s each: not 6000 take-overs in ten minutes.
  assertGreater(30, takenMs.length);
  assertGreater(dampings.length, 10);
  assertEquals(watch.storms, dampings.length);
});

Deno.test("while a storm is damped the holder keeps the identifier, from its address", () => {
  const watch = storms();
  const ask = { clientIdentifier: "c", holder: "a", newcomer: "b" };
  for (let nowMs = 1; nowMs <= 4; nowMs++) {
    watch.judge(nowMs % 2 === 1 ? ask : { ...ask, holder: "b", newcomer: "a" }, nowMs);
  }
  assertEquals(watch.judge(ask, 5), {
    allowed: false,
    untilMs: 10_005,
    begins: true,
    addresses: ["a", "b"],
  });
  assertEquals(watch.judge({ ...ask, newcomer: "a" }, 6).allowed, true, "its own reconnect");
  const third = watch.judge({ ...ask, newcomer: "c" }, 7);
  assertEquals(third.allowed || [third.begins, third.addresses], [false, ["a", "c", "b"]]);
  assertEquals(watch.judge({ ...ask, clientIdentifier: "d" }, 8).allowed, true, "another client");
});

Deno.test("a client that reconnects, or moves on and on, is no storm", () => {
  const watch = storms();
  for (let i = 1; i < 1000; i++) {
    const same = { clientIdentifier: "flaky", holder: "10.0.0.1", newcomer: "10.0.0.1" };
    assert(watch.judge(same, i).allowed);
    const moving = { clientIdentifier: "mobile", holder: `a${i}`, newcomer: `a${i + 1}` };
    assert(watch.judge(moving, i).allowed);
  }
  for (let i = 1; i < 100; i++) {
    const [holder, newcomer] = i % 2 === 1 ? ["wlan", "lan"] as const : ["lan", "wlan"] as const;
    const slow = { clientIdentifier: "laptop", holder, newcomer };
    assert(watch.judge(slow, i * 20_001).allowed, "every 20 s");
  }
  assertEquals(watch.storms, 0);
});

Deno.test("what a storm has earned is forgotten in the end", () => {
  const watch = storms();
  fight(watch, { forMs: 100_000, everyMs: 10 });
  const ask = { clientIdentifier: "x", holder: "y", newcomer: "z" };
  watch.judge(ask, 1_000_000);
  watch.judge(ask, 1_100_000);
  watch.judge(ask, 1_200_000);
  watch.judge(ask, 1_300_000);
  assertEquals(watch.clients, 1);
});

Deno.test("a storm behind a long calm is damped as the first one was", () => {
  const watch = storms();
  fight(watch, { forMs: 100_000, everyMs: 100 });
  watch.judge({ clientIdentifier: "x", holder: "y", newcomer: "z" }, 1_000_000);
  const places = ["a", "b"];
  for (let i = 0; i < 5; i++) {
    const [holder, newcomer] = [places[i % 2]!, places[(i + 1) % 2]!];
    const verdict = watch.judge({ clientIdentifier: "press", holder, newcomer }, 1_000_001 + i);
    if (i === 4) assertEquals(verdict.allowed || verdict.untilMs, 1_010_005);
  }
});

Deno.test("of many former holders those are remembered that lost it last", () => {
  const watch = storms({ returnsMax: 1 });
  for (
    const [i, holder] of ["h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h0", "h8"].entries()
  ) {
    const takeOver = { clientIdentifier: "c", holder, newcomer: `n${i}` };
    assertEquals(watch.judge(takeOver, 1 + i).allowed, true);
  }
  const again = { clientIdentifier: "c", holder: "n9" };
  assertEquals(watch.judge({ ...again, newcomer: "h1" }, 20).allowed, true);
  assertEquals(watch.judge({ ...again, newcomer: "h0" }, 21).allowed, false);
});

Deno.test("the table keeps its bound, calm ones go first, and long identifiers stay apart", () => {
  const watch = storms();
  fight(watch, { forMs: 1000, everyMs: 10 });
  const random = new Random(9);
  for (let i = 0; i < 20_000; i++) {
    const clientIdentifier = `${"x".repeat(random.below(300))}${random.below(1000)}`;
    const [holder, newcomer] = [`${random.below(3)}`, `${random.below(3)}`];
    watch.judge({ clientIdentifier, holder, newcomer }, 1000 + (i >> 4));
    assert(watch.clients <= LIMITS.clientsMax);
  }
  const press = { clientIdentifier: "press", holder: "10.0.0.1", newcomer: "10.0.0.3" };
  assertEquals(watch.judge(press, 3000).allowed, false, "still damped");
  const long = "y".repeat(65_000);
  const other = storms();
  for (let i = 1; i < 20; i++) {
    const [holder, newcomer] = i % 2 === 1 ? ["p", "q"] as const : ["q", "p"] as const;
    other.judge({ clientIdentifier: long, holder, newcomer }, i);
  }
  assertEquals(
    other.judge({ clientIdentifier: long, holder: "p", newcomer: "q" }, 30).allowed,
    false,
  );
  const near = { clientIdentifier: `${long.slice(1)}z`, holder: "p", newcomer: "q" };
  assertEquals(other.judge(near, 30).allowed, true);
});

Deno.test("two devices behind one router are a storm, a client that takes its own place is none", () => {
  const watch = storms({ sameAddressMax: 60 });
  const ask = { clientIdentifier: "press", holder: "10.0.0.1", newcomer: "10.0.0.1" };
  const refusedMs: number[] = [];
  let takenOver = 0;
  for (let nowMs = 1; nowMs < 120_000; nowMs += 100) {
    const verdict = watch.judge(ask, nowMs);
    if (verdict.allowed) takenOver++;
    else if (verdict.begins) {
      refusedMs.push(nowMs);
      assertEquals(verdict.addresses, ["10.0.0.1"]);
    }
  }
  // 60 of them, then 3 behind 10, 20, 40 and 40 s each: not 1200.
  assertEquals(refusedMs, [6_001, 16_301, 36_601, 76_901, 117_201]);
  assertEquals(takenOver, 60 + 4 * 3);
  const flaky = { ...ask, clientIdentifier: "flaky" };
  for (let nowMs = 1; nowMs < 600_000; nowMs += 1_100) assert(watch.judge(flaky, nowMs).allowed);
});

Deno.test("while addresses fight, the holder's own address may still reconnect as it likes", () => {
  const watch = storms({ sameAddressMax: 60 });
  fight(watch, { forMs: 402, everyMs: 100 });
  const own = { clientIdentifier: "press", holder: "10.0.0.1", newcomer: "10.0.0.1" };
  for (let i = 0; i < 50; i++) assert(watch.judge(own, 500 + i).allowed);
  assertEquals(watch.judge({ ...own, newcomer: "10.0.0.2" }, 600).allowed, false);
});

Deno.test("either kind of storm can be switched off", () => {
  const none = storms({ returnsMax: 0 });
  assertEquals(fight(none, { forMs: 60_000, everyMs: 10 }).dampings, []);
  assertEquals([none.storms, none.clients], [0, 0]);
});

Deno.test("limits that make no sense are refused", () => {
  for (const bad of [{ returnsMax: -1 }, { dampMsMax: 1 }, { windowMs: 0 }, { clientsMax: 0 }]) {
    assertThrows(() => storms(bad), RangeError);
  }
});
