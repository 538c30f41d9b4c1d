/** What the defaults mean for a plant, and for an attacker; the clock is the test's. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import {
  FrontDoor,
  type FrontDoorSettings,
  type IpAddress,
  ipv4Address,
  ListenerDoor,
  Visitor,
} from "../../src/security/mod.ts";

const LISTENER = ListenerDoor.open({ ipAllow: "", ipBlock: "", trustedProxies: "" });
const PLANT = 0x0a000000;
const ATTACKER = ipv4Address(0xc6336401);

function visitor(address: IpAddress): Visitor {
  return new Visitor("l", { address, port: 1 });
}

/** A door with a clock, and what it says. */
class Watched {
  readonly lines: string[] = [];
  readonly #front: FrontDoor;
  nowMs = 1_000;
  /** When accepting goes on. */
  resumesMs = 0;

  constructor(changes: Partial<FrontDoorSettings["connectionRate"]> = {}) {
    const connectionRate = { ...DEFAULT_CONFIG.connectionRate, ...changes };
    const front = FrontDoor.open({ ...DEFAULT_CONFIG, connectionRate }, (line) => {
      this.lines.push(line);
    });
    if ("problem" in front) throw new Error(front.problem);
    this.#front = front;
  }

  get facts(): Readonly<Record<string, number>> {
    return this.#front.facts;
  }

  /** A connection is accepted now. */
  accept(address: IpAddress): boolean {
    if ("problem" in LISTENER) throw new Error(LISTENER.problem);
    const options = { door: LISTENER, nowMs: this.nowMs };
    const { admitted, pauseMs } = this.#front.admits(visitor(address), options);
    if (pauseMs > 0) this.resumesMs = this.nowMs + pauseMs;
    return admitted;
  }
}

Deno.test("a plant of 10,000 clients comes back at once after a power cut, by default", () => {
  const door = new Watched();
  for (let i = 0; i < 10_000; i++) assert(door.accept(ipv4Address(PLANT + i)));
  assertEquals([door.resumesMs, door.lines], [0, []]);
});

Deno.test("so does one of 100,000, if not at once: nobody is refused, the last waits 90 seconds", () => {
  const door = new Watched();
  for (let i = 0; i < 100_000; i++) {
    door.nowMs = Math.max(door.nowMs, door.resumesMs);
    assert(door.accept(ipv4Address(PLANT + i)));
  }
  assertEquals(Math.ceil((door.nowMs - 1_000) / 1_000), 90);
  assertEquals(
    Object.values(door.facts).reduce((sum, n) => sum + n),
    door.facts["connections/paused"],
  );
});

Deno.test("10,000 clients behind one router get in by trying again every second", () => {
  const door = new Watched();
  let waiting = 10_000;
  let seconds = 0;
  for (; waiting > 0; seconds++) {
    const trying = waiting;
    for (let i = 0; i < trying; i++) if (door.accept(ATTACKER)) waiting--;
    door.nowMs += 1_000;
  }
  assertEquals(seconds, 91);
  const exempt = new Watched({ exempt: "198.51.100.0/24" });
  for (let i = 0; i < 10_000; i++) assert(exempt.accept(ATTACKER), "or at once");
});

Deno.test("an attacker with one address keeps nobody waiting, however much he tries", () => {
  const door = new Watched();
  let attacks = 0;
  // 20,000 a second for a minute, while the plant comes back once more.
  for (let tick = 0; tick < 60_000; tick += 10) {
    door.nowMs += 10;
    for (let i = 0; i < 200; i++) if (door.accept(ATTACKER)) attacks++;
    const first = PLANT + tick * 10;
    if (tick < 10_000) { for (let i = 0; i < 8; i++) assert(door.accept(ipv4Address(first + i))); }
  }
  assertEquals(door.resumesMs, 0, "accepting never paused");
  assert(attacks <= 1_000 + 60 * 100 + 1, `${attacks}`);
  assertEquals(door.facts["refused/connection-rate"], 60 * 20_000 - attacks);
  assert(door.lines.length <= 20, "ten a minute");
});

Deno.test("beyond the rate of all together accepting pauses, which the log says once a minute", () => {
  const door = new Watched({ perSecond: 10, burst: 5 });
  for (let i = 0; i < 2_000; i++) {
    door.nowMs = Math.max(door.nowMs, door.resumesMs);
    assert(door.accept(ipv4Address(PLANT + i)));
  }
  assert(door.facts["connections/paused"]! > 1_900);
  assertEquals(door.lines.length, 4);
  assertStringIncludes(door.lines[0]!, "connection_rate.per_second");
});

Deno.test("who is refused takes nothing of the rate of all together", () => {
  const front = FrontDoor.open({
    ...DEFAULT_CONFIG,
    ip: { allow: "", block: "198.51.100.0/24" },
    connectionRate: { ...DEFAULT_CONFIG.connectionRate, perSecond: 1, burst: 1 },
  }, () => {});
  if ("problem" in front || "problem" in LISTENER) throw new Error("settings");
  const options = { door: LISTENER, nowMs: 1 };
  for (let i = 0; i < 500; i++) {
    assertEquals(front.admits(visitor(ipv4Address(0xc6336400 + i % 256)), options), {
      admitted: false,
      pauseMs: 0,
    });
  }
  const first = front.admits(visitor(ipv4Address(PLANT)), options);
  assertEquals(first, { admitted: true, pauseMs: 0 });
});
