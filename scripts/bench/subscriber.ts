/** The worker that subscribes, counts and acknowledges. */

import { type ClientStream, closeQuietly, writeAll } from "../../src/client/mod.ts";
import { epochNowMs, sleep } from "./clock.ts";
import { LatencyLog } from "./latency_log.ts";
import type { Command, ControlLink } from "./link.ts";
import { Receiver, type ReceiverShape } from "./receiver.ts";
import type { SubscriberReady, SubscriberResult, SubscriberSpec } from "./roles.ts";
import { trieFilters } from "./trie.ts";
import { openClient, subscribe } from "./wire.ts";

/** How long after the last expected message a doubled one is still waited for. */
const AFTERMATH_MS = 30;
const POLL_MS = 10;

interface Subscription {
  conn: ClientStream;
  receiver: Receiver;
}

/** Runs the worker to its end. */
export async function runSubscriber(spec: SubscriberSpec, link: ControlLink): Promise<void> {
  const latencies = spec.latencySamplesMax > 0 ? new LatencyLog(spec.latencySamplesMax) : undefined;
  const subscriptions = await connectAll(spec, latencies);
  const startMs = performance.now();
  await Promise.all(subscriptions.map(function ask(subscription, index): Promise<void> {
    return subscribe(subscription.conn, { filters: filtersOf(spec, index), qos: spec.qos });
  }));
  const ready: SubscriberReady = { subscribeMs: performance.now() - startMs };
  const meter = new Meter();
  for (const subscription of subscriptions) receive(subscription, { meter, link });
  link.ready(ready);
  const go = await link.expect("go");
  latencies?.open(go.windowStartMs, go.windowEndMs);
  meter.open(go.windowStartMs, go.windowEndMs);
  await settle(meter, await link.expect("drain"));
  const result: SubscriberResult = {
    received: subscriptions.map((subscription) => subscription.receiver.received),
    windowMessages: meter.windowMessages,
    windowMs: meter.windowMs,
    missing: sum(subscriptions.map((subscription) => subscription.receiver.missing)),
    disorder: sum(subscriptions.map((subscription) => subscription.receiver.disorder)),
    closed: meter.closed,
  };
  if (latencies !== undefined) {
    result.sinceDue = latencies.sinceDue();
    result.sinceWrite = latencies.sinceWrite();
  }
  meter.over = true;
  link.done(result);
  for (const subscription of subscriptions) closeQuietly(subscription.conn);
}

/** Counts the messages of all connections and remembers the count at both ends of the window. */
class Meter {
  total = 0;
  closed = 0;
  /** The figures are taken: connections may go. */
  over = false;
  lastArrivalMs = 0;
  #startMs = Infinity;
  #endMs = Infinity;
  #opened: { atMs: number; total: number } | undefined;
  #shut: { atMs: number; total: number } | undefined;

  open(startMs: number, endMs: number): void {
    this.#startMs = startMs;
    this.#endMs = endMs;
    for (const atMs of [startMs, endMs]) setTimeout(() => this.note(0), atMs - epochNowMs());
  }

  /** Notes `messages` more; both ends of the window lie on such a note, so no message is split. */
  note(messages: number): void {
    const nowMs = epochNowMs();
    this.total += messages;
    if (messages > 0) this.lastArrivalMs = nowMs;
    if (nowMs >= this.#startMs) this.#opened ??= { atMs: nowMs, total: this.total };
    if (nowMs >= this.#endMs) this.#shut ??= { atMs: nowMs, total: this.total };
  }

  get windowMessages(): number {
    return (this.#shut?.total ?? this.total) - (this.#opened?.total ?? 0);
  }

  get windowMs(): number {
    return (this.#shut?.atMs ?? NaN) - (this.#opened?.atMs ?? NaN);
  }
}

async function connectAll(
  spec: SubscriberSpec,
  latencies: LatencyLog | undefined,
): Promise<Subscription[]> {
  const subscriptions: Subscription[] = [];
  const bufferBytes = spec.connections <= 8 ? 262_144 : spec.connections <= 64 ? 65_536 : 16_384;
  for (let index = 0; index < spec.connections; index++) {
    const cleanSession = spec.persistent !== true;
    const conn = await openClient(spec, { id: `bench-${spec.name}-${index}`, cleanSession });
    const shape: ReceiverShape = { qos: spec.qos, publishers: spec.publishers, bufferBytes };
    const filter = spec.filters === "trie" ? "#" : filtersOf(spec, index)[0] ?? "";
    if (!filter.endsWith("#")) shape.topic = filter;
    if (latencies !== undefined) shape.latencies = latencies;
    const receiver = new Receiver(shape);
    subscriptions.push({ conn, receiver });
  }
  return subscriptions;
}

function filtersOf(spec: SubscriberSpec, index: number): readonly string[] {
  if (spec.filters === "trie") return trieFilters(index);
  return [spec.filters[index % spec.filters.length] ?? ""];
}

async function receive(
  subscription: Subscription,
  of: { meter: Meter; link: ControlLink },
): Promise<void> {
  const { meter, link } = of;
  const { conn, receiver } = subscription;
  try {
    for (;;) {
      const count = await conn.read(receiver.room());
      if (count === null) break;
      const before = receiver.received;
      const acks = receiver.accept(count);
      meter.note(receiver.received - before);
      if (acks.length > 0) await writeAll(conn, acks);
    }
  } catch (error) {
    // What a broker of this rig's trust can never send ends the whole worker at once.
    if (!(error instanceof Deno.errors.ConnectionReset || meter.over)) link.fail(error);
  }
  meter.closed++;
}

async function settle(
  meter: Meter,
  drain: Extract<Command, { command: "drain" }>,
): Promise<void> {
  const startMs = epochNowMs();
  for (;;) {
    const nowMs = epochNowMs();
    const silentMs = nowMs - Math.max(startMs, meter.lastArrivalMs);
    if (meter.total >= drain.expected) return await sleep(AFTERMATH_MS);
    if (silentMs >= drain.silenceMs || nowMs - startMs >= drain.limitMs) return;
    await sleep(POLL_MS);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
