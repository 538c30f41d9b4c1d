/** Who listens to what happens: `GET /api/v1/events`, a bounded number of streams. */
import type { Caller } from "./caller.ts";
import { EventStream } from "./event_stream.ts";
import { problem } from "./problem.ts";
import { StreamAnswer } from "./stream_answer.ts";

/** What can be listened to. */
export const EVENT_TOPICS = ["statistics", "log", "clients", "sparkplug"] as const;

/** One of them. */
export type EventTopic = typeof EVENT_TOPICS[number];

/** Streams at a time, of the connections that the listener takes. */
const STREAMS_MAX = 16;
/** What waits for one of them. */
const WAITING_BYTES_MAX = 1_048_576;
const SECOND_MS = 1_000;
/** Seconds without an event after which the connection is heard of. */
const BEAT_S = 10;

interface Listening {
  readonly stream: EventStream;
  readonly topics: ReadonlySet<EventTopic>;
  readonly caller: Caller;
}

/** What the hub counts. */
export interface EventHubStatistics {
  readonly streams: number;
  readonly streamsMax: number;
  readonly refused: number;
}

/** Tells every listener; costs nothing while there are none. */
export class EventHub {
  readonly #listening = new Set<Listening>();
  readonly #everySecond: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #seconds = 0;
  #refused = 0;

  /** What it has counted. */
  get statistics(): EventHubStatistics {
    return { streams: this.#listening.size, streamsMax: STREAMS_MAX, refused: this.#refused };
  }

  /** Whether anybody listens to this: what nobody hears need not be put together. */
  wants(topic: EventTopic): boolean {
    for (const { topics } of this.#listening) if (topics.has(topic)) return true;
    return false;
  }

  /** Calls back once a second as long as anybody listens to anything. */
  everySecond(callback: () => void): void {
    this.#everySecond.push(callback);
  }

  /** Tells those who listen to this topic. `value` becomes JSON once for all of them. */
  publish(topic: EventTopic, event: string, value: unknown): void {
    let json: string | null = null;
    for (const { stream, topics } of this.#listening) {
      if (topics.has(topic)) stream.send(event, json ??= JSON.stringify(value));
    }
  }

  /** A stream for somebody who wants to listen, or a problem where there are too many. */
  open(topics: Iterable<EventTopic>, caller: Caller): Response {
    if (this.#listening.size >= STREAMS_MAX) {
      this.#refused++;
      const headers = { "retry-after": "5" };
      return problem(503, `${STREAMS_MAX} listen to events already`, { headers });
    }
    const stream = new EventStream(WAITING_BYTES_MAX, () => this.#left(listening));
    const listening: Listening = { stream, topics: new Set(topics), caller };
    this.#listening.add(listening);
    this.#timer ??= setInterval(() => this.#second(), SECOND_MS);
    stream.send("hello", JSON.stringify({ topics: [...listening.topics] }));
    return new StreamAnswer(stream, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  }

  /** Ends the streams of callers who would not be let in any more. */
  recheck(stillAdmits: (caller: Caller) => boolean): void {
    for (const { stream, caller } of [...this.#listening]) {
      if (!stillAdmits(caller)) stream.end();
    }
  }

  /** Ends all streams. */
  close(): void {
    for (const { stream } of [...this.#listening]) stream.end();
  }

  #left(listening: Listening): void {
    this.#listening.delete(listening);
    if (this.#listening.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #second(): void {
    for (const callback of this.#everySecond) callback();
    if (++this.#seconds % BEAT_S !== 0) return;
    for (const { stream } of this.#listening) stream.beat();
  }
}
