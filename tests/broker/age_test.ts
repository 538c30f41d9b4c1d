/** The age clock: what is stored grows old while time passes, and not because a clock is set. */
import { assertEquals } from "@std/assert";
import { makeMessage } from "../../src/broker/mod.ts";
import { name, payload, text } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";
import { RecordingStore } from "./_recording_store.ts";

type Limits = NonNullable<CoreOptions["limits"]>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const YEAR = 365 * DAY;
/** When the tests begin: in the year 2027. */
const BEGIN = 1_800_000_000_000;
const EXPIRY_MS = 10 * MINUTE;

/** A gateway: one broker after the other over one store, and a wall clock that may be wrong. */
class Gateway {
  core: Core;
  #store = new RecordingStore();
  readonly #limits: Limits;

  constructor(limits: Limits, wallMs = BEGIN) {
    this.#limits = limits;
    this.core = new Core({ store: this.#store, limits, wallMs });
  }

  /** Something that is stored and that no client is connected to. */
  prepare(make: (core: Core) => void): void {
    make(this.core);
    this.core.commit();
  }

  run(ms: number): void {
    this.core.advance(ms, ms > 10 * MINUTE ? 10 * SECOND : 250);
  }

  /** The wall clock is set, and the broker runs on for a second. */
  setWall(wallMs: number): void {
    this.core.wallMs = wallMs;
    this.run(1_250);
  }

  /** The process ends and another one starts `offMs` later, or when the wall clock says `wallMs`. */
  restart(when: { offMs: number } | { wallMs: number }): void {
    const wallMs = "wallMs" in when ? when.wallMs : this.core.wallMs + when.offMs;
    this.#store = this.#store.afterCrash();
    this.core = new Core({ store: this.#store, limits: this.#limits, wallMs });
  }
}

/** Something that expires. */
interface Kind {
  readonly what: string;
  readonly limits: Limits;
  make(core: Core): void;
  /** How many are left. */
  left(core: Core): number;
}

function away(core: Core): void {
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("t", 1);
  client.lose();
}

const KINDS: readonly Kind[] = [
  {
    what: "a session",
    limits: { sessionExpiryMs: EXPIRY_MS },
    make: away,
    left: (core) => core.statistics.sessions,
  },
  {
    what: "a message that waits",
    limits: { queueMessageExpiryMs: EXPIRY_MS, sessionExpiryMs: 0 },
    make: (core) => {
      away(core);
      core.advance(20 * SECOND);
      core.connect().publish("t", "x", { qos: 1 });
    },
    left: (core) => core.statistics.queuedMessages,
  },
  {
    what: "a retained message",
    limits: { retainedExpiryMs: EXPIRY_MS },
    make: (core) => core.connect().publish("r", "x", { qos: 1, retain: true }),
    left: (core) => core.statistics.retainedMessages,
  },
  {
    what: "a dead letter",
    limits: { deadLettersExpiryMs: EXPIRY_MS },
    make: (core) => core.connect().publish("$SYS/x", "x", { qos: 1 }),
    left: (core) => core.statistics.deadLetters,
  },
];

/** What happens to the gateway, and whether what it stored is there afterwards. */
interface Scenario {
  readonly what: string;
  readonly wallMs?: number;
  /** What happens before anything is stored. */
  before?(gateway: Gateway): void;
  happens(gateway: Gateway): void;
  readonly left: 0 | 1;
}

const PASSING: readonly Scenario[] = [
  {
    what: "is there a little before its time",
    happens: (g) => g.run(EXPIRY_MS - 5 * SECOND),
    left: 1,
  },
  { what: "is gone behind its time", happens: (g) => g.run(EXPIRY_MS + 3 * SECOND), left: 0 },
  {
    what: "counts the time that the broker was off",
    happens: (g) => g.restart({ offMs: EXPIRY_MS + 3 * SECOND }),
    left: 0,
  },
  {
    what: "is there when the broker was off for less",
    happens: (g) => g.restart({ offMs: EXPIRY_MS - 5 * SECOND }),
    left: 1,
  },
  {
    what: "does not begin anew with each start",
    happens: (g) => {
      for (let i = 0; i < 7; i++) {
        g.run(MINUTE);
        g.restart({ offMs: 30 * SECOND });
      }
    },
    left: 0,
  },
  {
    what: "adds up running and being off",
    happens: (g) => {
      g.run(6 * MINUTE);
      g.restart({ offMs: 3 * MINUTE });
      g.run(50 * SECOND);
    },
    left: 1,
  },
];

const JUMPS: readonly Scenario[] = [
  { what: "survives a wall clock set forward", happens: (g) => g.setWall(BEGIN + YEAR), left: 1 },
  { what: "survives a wall clock set back", happens: (g) => g.setWall(BEGIN - YEAR), left: 1 },
  {
    what: "survives a start behind a wall clock set forward",
    happens: (g) => {
      g.setWall(BEGIN + YEAR);
      g.restart({ offMs: MINUTE });
    },
    left: 1,
  },
  {
    what: "survives the first NTP answer to a gateway whose clock began at its build date",
    wallMs: BEGIN - YEAR,
    happens: (g) => {
      g.run(MINUTE);
      g.setWall(BEGIN);
      g.restart({ offMs: 0 });
      g.run(MINUTE);
    },
    left: 1,
  },
  {
    what: "survives the first NTP answer to a gateway whose clock began in 1970",
    wallMs: 5_000,
    happens: (g) => {
      g.run(MINUTE);
      g.setWall(BEGIN);
      g.restart({ offMs: MINUTE });
      g.run(MINUTE);
    },
    left: 1,
  },
  {
    what: "survives a start in 1970 and a clock that is right later",
    happens: (g) => {
      g.restart({ wallMs: 5_000 });
      g.run(MINUTE);
      g.setWall(BEGIN + DAY);
      g.restart({ offMs: MINUTE });
    },
    left: 1,
  },
  {
    what: "is gone in its time although the wall clock was set back in between",
    happens: (g) => {
      g.run(MINUTE);
      g.setWall(BEGIN - YEAR);
      g.restart({ offMs: 5 * MINUTE });
      g.run(4 * MINUTE + 5 * SECOND);
    },
    left: 0,
  },
  {
    what: "is gone in its time although the wall clock was set back twice",
    happens: (g) => {
      g.run(6 * MINUTE);
      g.setWall(BEGIN - YEAR);
      g.restart({ wallMs: BEGIN - 2 * YEAR });
      g.run(4 * MINUTE + 5 * SECOND);
    },
    left: 0,
  },
  {
    what: "is gone in its time although the wall clock had been set forward before",
    before: (g) => g.setWall(BEGIN + YEAR),
    happens: (g) => g.run(EXPIRY_MS + 3 * SECOND),
    left: 0,
  },
  {
    what: "survives a start with a clock that is right, behind one in 1970",
    wallMs: 5_000,
    happens: (g) => g.restart({ wallMs: BEGIN }),
    left: 1,
  },
  {
    what: "is not younger behind a start in 1970 than when it was stored",
    wallMs: 5_000,
    happens: (g) => {
      g.restart({ wallMs: 5_000 });
      g.run(EXPIRY_MS + 4 * SECOND);
    },
    left: 0,
  },
  {
    what: "is gone in its time although the wall clock stands in 1970",
    wallMs: 5_000,
    happens: (g) => g.run(EXPIRY_MS + 3 * SECOND),
    left: 0,
  },
];

for (const kind of KINDS) {
  for (const { what, wallMs, before, happens, left } of [...PASSING, ...JUMPS]) {
    Deno.test(`${kind.what} ${what}`, () => {
      const gateway = new Gateway(kind.limits, wallMs);
      gateway.run(10 * SECOND);
      before?.(gateway);
      gateway.prepare(kind.make);
      assertEquals(kind.left(gateway.core), 1);
      happens(gateway);
      assertEquals(kind.left(gateway.core), left);
    });
  }
}

Deno.test("a message that has expired is not delivered, also before the broker looks for it", () => {
  for (const offMs of [0, EXPIRY_MS + 2 * SECOND]) {
    const gateway = new Gateway({ queueMessageExpiryMs: EXPIRY_MS, sessionExpiryMs: 0 });
    gateway.prepare((core) => {
      away(core);
      core.connect().publish("t", "old", { qos: 1 });
    });
    if (offMs > 0) gateway.restart({ offMs });
    else gateway.core.nowMs += EXPIRY_MS + 2 * SECOND;
    const { core } = gateway;
    core.connect().publish("t", "new", { qos: 1 });
    const client = core.connect({ clientIdentifier: "c", cleanSession: false });
    assertEquals(client.takeMessages().map((m) => text(m.payload)), ["new"]);
    assertEquals(core.statistics.dropped["message-expired"], 1);
  }
});

Deno.test("what expired while the broker was off is not there for the first client either", () => {
  const limits = { retainedExpiryMs: EXPIRY_MS, sessionExpiryMs: EXPIRY_MS };
  const gateway = new Gateway(limits);
  gateway.prepare((core) => {
    away(core);
    core.connect().publish("r", "x", { qos: 1, retain: true });
  });
  gateway.restart({ offMs: EXPIRY_MS + 2 * SECOND });
  const client = gateway.core.connect({ clientIdentifier: "c", cleanSession: false });
  assertEquals(client.sessionPresent, false);
  client.subscribe("r");
  assertEquals(client.takeMessages(), []);
});

Deno.test("messages behind others that expired go out when there is nothing else in their way", () => {
  const gateway = new Gateway({ queueMessageExpiryMs: EXPIRY_MS, inFlightMessagesMax: 1 });
  const { core } = gateway;
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("t", 1);
  const publisher = core.connect();
  for (const content of ["in flight", "waits"]) publisher.publish("t", content, { qos: 1 });
  gateway.run(9 * MINUTE);
  publisher.publish("t", "at QoS 0");
  gateway.run(2 * MINUTE);
  assertEquals(client.takeMessages().map((m) => text(m.payload)), ["in flight", "at QoS 0"]);
});

Deno.test("a retained message that is replaced begins anew, and the others go on", () => {
  const gateway = new Gateway({ retainedExpiryMs: EXPIRY_MS });
  const publisher = gateway.core.connect();
  for (const topic of ["a", "b"]) publisher.publish(topic, "1", { qos: 1, retain: true });
  gateway.run(6 * MINUTE);
  publisher.publish("a", "2", { qos: 1, retain: true });
  gateway.run(5 * MINUTE);
  assertEquals(gateway.core.statistics.retainedMessages, 1);
  assertEquals(gateway.core.statistics.retainedExpired, 1);
  gateway.restart({ offMs: 4 * MINUTE });
  assertEquals(gateway.core.statistics.retainedMessages, 1);
  gateway.run(2 * MINUTE);
  assertEquals(gateway.core.statistics.retainedMessages, 0);
});

/** A store of an older version, which knew no times, and one retained message since then. */
function withoutTimes(): RecordingStore {
  const store = new RecordingStore();
  const message = (topic: string) => makeMessage(topic, payload("x"), 1);
  store.journal.clockSaved({ ageMs: BEGIN, wallMs: BEGIN });
  store.journal.retainedSet(name("known"), message("known"), BEGIN / 1000);
  for (const topic of ["old/1", "old/2"]) store.journal.retainedSet(name(topic), message(topic), 0);
  store.commit();
  return store;
}

Deno.test("retained messages of unknown age expire once, however often the broker starts", () => {
  const limits = { retainedExpiryMs: EXPIRY_MS };
  let store = withoutTimes();
  for (const [minutes, left] of [[4, 3], [8, 3], [12, 2], [13, 2], [15, 0]] as const) {
    store = store.afterCrash();
    const core = new Core({ store, limits, wallMs: BEGIN + minutes * MINUTE });
    core.advance(250);
    assertEquals(core.statistics.retainedMessages, left);
  }
});

Deno.test("retained messages of unknown age are the first to make room", () => {
  const limits = { retainedMessagesMax: 3, retainedFull: "drop_oldest" } as const;
  const core = new Core({ store: withoutTimes(), limits, wallMs: BEGIN });
  core.connect().publish("new", "x", { qos: 1, retain: true });
  const topics = core.store.load().retained.map(({ topic }) => topic as string);
  assertEquals(topics.sort(), ["known", "new", "old/2"]);
});

Deno.test("who left first goes first, also behind a restart", () => {
  const limits = { sessionsMax: 3, sessionsFull: "drop_oldest", sessionExpiryMs: 0 } as const;
  const gateway = new Gateway(limits);
  gateway.prepare((core) => {
    const clients = ["a", "b", "c"].map((clientIdentifier) =>
      core.connect({ clientIdentifier, cleanSession: false })
    );
    for (const at of [1, 0]) {
      clients[at]!.lose();
      gateway.run(MINUTE);
    }
  });
  gateway.restart({ offMs: MINUTE }); // "c" was connected until now
  for (const [newcomer, left] of [["d", "acd"], ["e", "cde"]] as const) {
    const client = gateway.core.connect({ clientIdentifier: newcomer, cleanSession: false });
    const ids = gateway.core.store.load().sessions.map((s) => s.clientIdentifier).sort();
    assertEquals(ids.join(""), left);
    client.publish("t", "x");
  }
  assertEquals(gateway.core.statistics.sessionsEvicted, 2);
});

Deno.test("an orderly end keeps the age of what is stored, even without a wall clock", () => {
  const core = new Core({ wallMs: 0 });
  const ageMs = core.store.load().clock!.ageMs;
  core.advance(50_000);
  core.broker.stopping(core.instant());
  core.commit();
  assertEquals(core.store.load().clock!.ageMs, ageMs + 50_000);
});
