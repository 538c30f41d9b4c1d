/** Random traffic against small limits: every message has one fate, and every gauge says what is there. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { BrokerLimits } from "../../src/broker/mod.ts";
import type { Session } from "../../src/broker/session.ts";
import type { Qos } from "../../src/mqtt/mod.ts";
import { filter, publishPacket, text } from "../support/wire_client.ts";
import { Random } from "../store/_random_records.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

const SEEDS = 40;
const STEPS = 250;
const IDS = ["a", "b", "c", "d", "e"];
const FILTERS = ["t/0", "t/1", "#", "t/+", "r/#"];
const TOPICS = ["t/0", "t/1", "r/0", "r/1", "r/2", "$SYS/x"];
const SMALL = {
  inFlightMessagesMax: 3,
  queueMessagesMax: 6,
  queueTotalMessagesMax: 14,
  retainedMessagesMax: 2,
  sessionsMax: 4,
  outboxBytesMax: 2_000,
  outboxHighWaterBytes: 600,
  outboxLowWaterBytes: 100,
  sessionExpiryMs: 15_000,
  deadLettersMessagesMax: 20,
  deadLettersBytesMax: 8_000,
  deadLettersPerSecondMax: 5,
  deadLettersExpiryMs: 20_000,
  packetBytesMax: 700,
};

function randomLimits(random: Random): Partial<BrokerLimits> {
  const full = () => random.pick(["drop_newest", "drop_oldest"] as const);
  return {
    ...SMALL,
    queueFull: full(),
    retainedFull: full(),
    sessionsFull: full(),
    queueMessageExpiryMs: random.pick([0, 3_000]),
    retainedExpiryMs: random.pick([0, 5_000]),
    deadLettersRepublish: random.below(2) === 0,
  };
}

/** One broker after the other over one store, and random clients. */
class World {
  core: Core;
  store = new RecordingStore();
  readonly #random: Random;
  readonly #limits: Partial<BrokerLimits>;
  #clients = new Map<string, FakeClient>();
  #published = 0;
  #lettersBefore = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#limits = randomLimits(this.#random);
    this.core = new Core({ store: this.store, limits: this.#limits });
  }

  step(): void {
    const random = this.#random;
    const id = random.pick(IDS);
    const client = this.#clients.get(id);
    const choice = random.below(100);
    if (client === undefined || client.connection.closed) return this.#connect(id);
    if (choice < 40) return this.#publish(client);
    if (choice < 60) return acknowledge(client, 1 + random.below(4));
    if (choice < 70) return this.#subscribe(client);
    if (choice < 74) {
      client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter(random.pick(FILTERS))] });
    } else if (choice < 80) client.lose();
    else if (choice < 82) client.disconnect();
    else if (choice < 86) client.frozen = true;
    else if (choice < 90) client.thaw();
    else if (choice < 98) this.core.advance(random.pick([250, 1_000, 4_000]));
    else if (choice < 99) this.#restart();
    else this.core.advance(16_000, 1_000);
  }

  check(): void {
    const { statistics } = this.core;
    const stored = this.store.load();
    const kept = this.store.letters.length - this.#lettersBefore;
    const dropped = Object.values(statistics.dropped).reduce((sum, count) => sum + count, 0);
    assertEquals(dropped, kept + statistics.deadLettersNotKept, "each is kept or not");
    assertEquals(statistics.deadLetters, stored.deadLetters.length);
    const bytes = stored.deadLetters.reduce((sum, letter) => sum + letter.bytes, 0);
    assertEquals(statistics.deadLetterBytes, bytes);
    assertLessOrEqual(statistics.deadLetters, SMALL.deadLettersMessagesMax);
    assertLessOrEqual(bytes, SMALL.deadLettersBytesMax);
    const ids = stored.deadLetters.map(({ id }) => id);
    assertEquals(ids, [...new Set(ids)].sort((a, b) => a - b));
    assertEquals(statistics.retainedMessages, stored.retained.length);
    assertLessOrEqual(statistics.retainedMessages, SMALL.retainedMessagesMax);
    assertLessOrEqual(statistics.sessions, SMALL.sessionsMax);
    const deliveries = stored.sessions.flatMap((session) => session.deliveries);
    const clean = this.#cleanSessions();
    const cleanFlight = clean.reduce((sum, session) => sum + session.inFlight.size, 0);
    const flight = deliveries.filter(({ packetId }) => packetId > 0).length;
    assertEquals(statistics.inFlightMessages, flight + cleanFlight);
    const subscriptions = [...stored.sessions.map((s) => s.subscriptions.length)]
      .concat(clean.map((session) => session.subscriptions.size));
    assertEquals(statistics.subscriptions, subscriptions.reduce((sum, n) => sum + n, 0));
    assertLessOrEqual(deliveries.length - flight, statistics.queuedMessages);
    assertLessOrEqual(statistics.queuedMessages, SMALL.queueTotalMessagesMax);
  }

  /** Everybody leaves for good, and time passes. */
  end(): void {
    for (const client of this.#clients.values()) if (!client.ended) client.lose();
    this.core.advance(60_000, 1_000);
    this.check();
    const { queuedMessages, queuedBytes, inFlightMessages, inFlightBytes, sessions } =
      this.core.statistics;
    const left = [queuedMessages, queuedBytes, inFlightMessages, inFlightBytes, sessions];
    assertEquals(left, [0, 0, 0, 0, 0]);
    assertEquals(this.store.load().deadLetters, []);
  }

  #cleanSessions(): Session[] {
    return [...this.#clients.values()].flatMap(({ connection }) => {
      const { session } = connection;
      return connection.closed || session === null || session.persistent ? [] : [session];
    });
  }

  #connect(clientIdentifier: string): void {
    const client = this.core.tryOpen()!;
    client.sendConnect({ clientIdentifier, cleanSession: this.#random.below(3) === 0 });
    this.#clients.set(clientIdentifier, client);
  }

  #publish(client: FakeClient): void {
    const random = this.#random;
    const qos = random.below(3) as Qos;
    const retain = random.below(4) === 0;
    const size = random.pick([10, 10, 200, 400, 400, 800]);
    const content = `${this.#published++}`.padEnd(size);
    const packetId = qos === 0 ? 0 : 1 + random.below(100);
    client.send(publishPacket(random.pick(TOPICS), content, { qos, retain, packetId }));
    if (qos === 2) client.send({ type: "PUBREL", packetId });
  }

  #subscribe(client: FakeClient): void {
    const qos = this.#random.below(3) as Qos;
    const subscriptions = [{ filter: filter(this.#random.pick(FILTERS)), qos }];
    client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  }

  #restart(): void {
    this.core.commit();
    const { nowMs, wallMs } = this.core;
    this.#lettersBefore = 0;
    this.store = this.store.afterCrash();
    const away = this.#random.pick([0, 1_000, 10_000]);
    this.core = new Core({ store: this.store, limits: this.#limits, wallMs: wallMs + away });
    assert(nowMs > 0);
    this.#clients = new Map();
  }
}

/** Acknowledges some of what came; the rest of it is for later. */
function acknowledge(client: FakeClient, most: number): void {
  const later = client.inbox.splice(most);
  for (const packet of client.takeAll()) {
    if (client.connection.closed) return;
    if (packet.type === "PUBREL") client.send({ type: "PUBCOMP", packetId: packet.packetId });
    if (packet.type !== "PUBLISH" || packet.qos === 0) continue;
    assert(text(packet.payload).length > 0);
    const { packetId } = packet;
    client.send({ type: packet.qos === 1 ? "PUBACK" : "PUBREC", packetId });
  }
  client.inbox.unshift(...later);
}

Deno.test("gauges, the store and the dead letters agree after every step of random traffic", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new World(seed);
    for (let step = 0; step < STEPS; step++) {
      try {
        world.step();
        world.check();
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}: ${error}`, { cause: error });
      }
    }
    world.end();
  }
});
