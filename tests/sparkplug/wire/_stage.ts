/** Plays the steps of a case against a running broker, with a socket for each client. */
import type { PublishPacket, Qos, TopicName } from "../../../src/mqtt/mod.ts";
import type { RefereeClient } from "../../../src/sparkplug/judging.ts";
import { type ConfigChanges, TestBroker } from "../../support/test_broker.ts";
import { filter, name, WireClient } from "../../support/wire_client.ts";
import type { Outcome } from "../_plant.ts";
import type { Step } from "./_script.ts";

const VIOLATIONS = "$SYS/broker/sparkplug/violations/";
const PATIENCE_MS = 10_000;
/** The referee looks at the time once a second. */
const TICK_MS = 1_500;

/** Sets the wall clock of this process forward while it lives, as an operator may; one at a time. */
export class ForwardClock implements Disposable {
  readonly #real = Date.now;
  #aheadMs = 0;

  constructor() {
    const real = this.#real;
    Date.now = () => real() + this.#aheadMs;
  }

  forward(ms: number): void {
    this.#aheadMs += ms;
  }

  [Symbol.dispose](): void {
    Date.now = this.#real;
  }
}

/** The clock that these steps need, if they need one. */
export function clockFor(steps: readonly Step[]): ForwardClock | null {
  return steps.some(({ kind }) => kind === "wait") ? new ForwardClock() : null;
}

/** A broker, the clients of a case, somebody who sees all messages, and a reader of the counters. */
export class Stage implements AsyncDisposable {
  readonly broker: TestBroker;
  /** Subscribed to everything of Sparkplug at QoS 2. */
  readonly watcher: WireClient;
  readonly #reader: WireClient;
  readonly #clock: ForwardClock | null;
  readonly #clients = new Map<RefereeClient, WireClient | null>();
  readonly #counters = new Map<string, number>();
  /** What came of every CONNECT and PUBLISH; what is put right passes. */
  readonly outcomes: Exclude<Outcome, "fix">[] = [];
  /** The messages that were delivered. */
  readonly delivered: PublishPacket[] = [];
  #packetId = 1;

  private constructor(
    broker: TestBroker,
    clients: { watcher: WireClient; reader: WireClient; clock: ForwardClock | null },
  ) {
    this.broker = broker;
    this.watcher = clients.watcher;
    this.#reader = clients.reader;
    this.#clock = clients.clock;
  }

  /** Starts a broker that judges. */
  static async open(
    sparkplug: NonNullable<ConfigChanges["sparkplug"]>,
    clock: ForwardClock | null = null,
  ): Promise<Stage> {
    const broker = await TestBroker.start({
      sparkplug,
      store: { kind: "memory" },
      sysTopics: { enabled: true, intervalMs: 100 },
    });
    const watcher = await WireClient.connect(broker.port, { clientIdentifier: "watcher" });
    const reader = await WireClient.connect(broker.port, { clientIdentifier: "reader" });
    for (const topic of ["spBv1.0/#", "spAv1.0/#"]) await watcher.subscribe(topic, 2);
    await reader.subscribe(`${VIOLATIONS}#`);
    return new Stage(broker, { watcher, reader, clock });
  }

  /** Does what the steps say, one after the other. */
  async play(steps: readonly Step[]): Promise<this> {
    for (const step of steps) {
      if (step.kind === "connect") await this.#connect(step);
      else if (step.kind === "publish") await this.#publish(step);
      else if (step.kind === "leave") await this.leave(step.client, step.disconnect);
      else if (step.kind === "will") await this.#will(step);
      else {
        this.#clock!.forward(step.ms);
        // Less than a tick is time that passes between two messages.
        const isLong = step.ms >= TICK_MS;
        if (isLong) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      }
    }
    return this;
  }

  /** The connection of a client that is in; the one that came last if none is named. */
  socketOf(client: RefereeClient): WireClient | null {
    return this.#clients.get(client) ?? null;
  }

  /** Counters by statement, all subjects together, with everything that has happened so far. */
  async counters(
    marker: "spAv1.0/marker/x/x" | "spBv1.0/marker/FOO/x",
  ): Promise<Map<string, number>> {
    const id = marker.startsWith("spA") ? "topic-structure-namespace-a" : "topic-structure";
    const topic = `${VIOLATIONS}tck-id-${id}`;
    using stranger = await WireClient.connect(this.broker.port);
    const before = this.#counters.get(topic) ?? 0;
    await stranger.publish(marker, "", { qos: 1 });
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
      for (const packet of await this.#reader.drain()) {
        if (packet.type !== "PUBLISH") continue;
        this.#counters.set(packet.topic, Number(new TextDecoder().decode(packet.payload)));
      }
      if ((this.#counters.get(topic) ?? 0) > before) return this.#byStatement();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Cannot read counters: ${topic} does not come`);
  }

  /** DISCONNECT, or a cut; the broker has seen it when this is over. */
  async leave(client: RefereeClient, disconnect: boolean): Promise<void> {
    const socket = this.#clients.get(client);
    if (!socket) return;
    const { statistics } = this.broker.server.broker;
    const before = statistics.clientsConnected;
    this.#clients.set(client, null);
    if (disconnect) await socket.disconnect();
    else socket.close();
    const deadline = performance.now() + PATIENCE_MS;
    while (statistics.clientsConnected >= before && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) client?.close();
    this.watcher.close();
    this.#reader.close();
    await this.broker[Symbol.asyncDispose]();
  }

  async #connect(step: Step & { kind: "connect" }): Promise<void> {
    const { client, id, cleanSession, will, filters } = step;
    const socket = await WireClient.open(this.broker.port);
    const { returnCode } = await socket.sendConnect({
      clientIdentifier: id,
      cleanSession,
      ...(will === null ? {} : { will: { ...will, topic: name(will.topic) } }),
    });
    const isIn = returnCode === 0;
    this.outcomes.push(isIn ? "count" : "drop");
    this.#clients.set(client, isIn ? socket : null);
    if (!isIn) return socket.close();
    for (const [topicFilter, qos] of filters) {
      const subscriptions = [{ filter: filter(topicFilter), qos: qos as Qos }];
      await socket.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
    }
    await socket.drain();
  }

  async #publish(step: Step & { kind: "publish" }): Promise<void> {
    const { client, topic, payload, qos, retain } = step;
    const socket = this.#clients.get(client);
    if (!socket) return void this.outcomes.push("drop");
    const before = this.delivered.length;
    const packetId = qos === 0 ? 0 : this.#packetId++;
    const packet = { type: "PUBLISH", dup: false, qos, retain, packetId, payload } as const;
    await socket.send({ ...packet, topic: topic as TopicName });
    if (qos === 2) await socket.send({ type: "PUBREL", packetId });
    const wanted = qos === 0 ? [] : qos === 1 ? ["PUBACK"] : ["PUBREC", "PUBCOMP"];
    const isOpen = await isAnswered(socket, wanted);
    await this.#look();
    const passed = this.delivered.slice(before).some((one) => one.topic === topic);
    if (!isOpen) this.#clients.set(client, null);
    this.outcomes.push(!isOpen ? "close" : passed ? "count" : "drop");
  }

  async #will({ topic, payload }: Step & { kind: "will" }): Promise<void> {
    const will = { topic: name(topic), payload, qos: 1, retain: true } as const;
    const client = await WireClient.connect(this.broker.port, { will });
    const { statistics } = this.broker.server.broker;
    const before = statistics.clientsConnected;
    client.close();
    while (statistics.clientsConnected >= before) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #look(): Promise<void> {
    for (const packet of await this.watcher.drain()) {
      if (packet.type === "PUBREL") {
        await this.watcher.send({ type: "PUBCOMP", packetId: packet.packetId });
      }
      if (packet.type !== "PUBLISH") continue;
      this.delivered.push(packet);
      const { packetId, qos } = packet;
      if (qos === 0) continue;
      await this.watcher.send({ type: qos === 1 ? "PUBACK" : "PUBREC", packetId });
    }
  }

  #byStatement(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const [topic, count] of this.#counters) {
      const id = topic.slice(VIOLATIONS.length).split("/")[0]!;
      if (id === "") continue; // the sum of all, which the filter matches, too
      sums.set(id, (sums.get(id) ?? 0) + count);
    }
    return sums;
  }
}

/** Waits for these answers and that of a PINGREQ; false if the broker closes the connection. */
async function isAnswered(socket: WireClient, wanted: readonly string[]): Promise<boolean> {
  const missing = new Set([...wanted, "PINGRESP"]);
  await socket.send({ type: "PINGREQ" });
  while (missing.size > 0) {
    const packet = await socket.next(PATIENCE_MS);
    if (packet === "silence") throw new Error(`Cannot publish: no ${[...missing]}`);
    if (packet === "closed") {
      socket.close();
      return false;
    }
    missing.delete(packet.type);
  }
  return true;
}
