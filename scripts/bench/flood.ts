/** The worker that publishes at QoS 0 as fast as the broker takes it. */

import { type ClientStream, closeQuietly, writeAll } from "../../src/client/mod.ts";
import { epochNowMs } from "./clock.ts";
import { before, type ControlLink } from "./link.ts";
import { DISCONNECT, encodeMessage, PublishBatch } from "./packets.ts";
import type { FloodSpec, PublisherResult } from "./roles.ts";
import { deviceBirth, nodeBirth, nodeDeath } from "./sparkplug_data.ts";
import { trieTopics } from "./trie.ts";
import { openClient, subscribe } from "./wire.ts";

/** How long the broker may take for what is on its way when the time is over. */
const FINISH_LIMIT_MS = 15_000;

/** Runs the worker to its end. */
export async function runFlood(spec: FloodSpec, link: ControlLink): Promise<void> {
  const publishers: FloodPublisher[] = [];
  for (let index = 0; index < spec.publishers; index++) {
    const topics = topicsOf(spec, index);
    const client = { id: `bench-flood-${index}` };
    const conn = spec.sparkplug === true
      ? await openEdgeNode(spec, { ...client, topics })
      : await openClient(spec, client);
    const batch = new PublishBatch({
      topics,
      count: spec.batchMessages,
      qos: 0,
      publisher: index,
      sparkplug: spec.sparkplug === true,
    });
    publishers.push(new FloodPublisher(conn, { batch, spec }));
  }
  link.ready({});
  const { windowEndMs } = await link.expect("go");
  await before(windowEndMs + FINISH_LIMIT_MS, {
    of: Promise.all(publishers.map((publisher) => publisher.run(windowEndMs))),
    name: "the flood",
  });
  const result: PublisherResult = {
    sent: publishers.map((publisher) => publisher.sent),
    acknowledged: [],
  };
  link.done(result);
  for (const publisher of publishers) await publisher.close();
}

/** Connects as an Edge Node, and is born with a Device for each of these DDATA topics. */
async function openEdgeNode(
  spec: FloodSpec,
  { id, topics }: { id: string; topics: readonly string[] },
): Promise<ClientStream> {
  const nowMs = Date.now();
  const [namespace, group, , node] = (topics[0] ?? "").split("/");
  function own(type: string): string {
    return `${namespace}/${group}/${type}/${node}`;
  }
  const will = { topic: own("NDEATH"), payload: nodeDeath(nowMs) };
  const conn = await openClient(spec, { id, will });
  await subscribe(conn, { filters: [own("NCMD"), `${own("DCMD")}/#`], qos: 1 });
  await writeAll(conn, encodeMessage(own("NBIRTH"), nodeBirth(nowMs)));
  for (const [device, topic] of topics.entries()) {
    await writeAll(
      conn,
      encodeMessage(topic.replace("DDATA", "DBIRTH"), deviceBirth(device, nowMs)),
    );
  }
  return conn;
}

/** The topics of one publisher, used in turn. */
function topicsOf(spec: FloodSpec, index: number): readonly string[] {
  if (spec.topics === "trie") return trieTopics();
  const own = spec.topics[index % spec.topics.length] ?? "";
  if (spec.topicsEach === 1) return [own];
  return Array.from({ length: spec.topicsEach }, function below(_, number): string {
    return `${own}/${String(number).padStart(4, "0")}`;
  });
}

/**
 * One connection. Each batch ends with PINGREQ, and only so many PINGREQ may be without an answer:
 * that bounds what waits in socket buffers, which hold seconds of work for a slow broker, and says
 * at the end that the broker has taken in everything.
 */
export class FloodPublisher {
  /** Messages written so far. */
  sent = 0;
  readonly #conn: ClientStream;
  readonly #batch: PublishBatch;
  readonly #batchMessages: number;
  readonly #batchesMax: number;
  #unanswered = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(
    conn: ClientStream,
    work: { batch: PublishBatch; spec: Pick<FloodSpec, "batchMessages" | "batchesMax"> },
  ) {
    this.#conn = conn;
    this.#batch = work.batch;
    this.#batchMessages = work.spec.batchMessages;
    this.#batchesMax = work.spec.batchesMax === 0 ? Infinity : work.spec.batchesMax;
  }

  /** Publishes until `endMs` of the shared clock, then waits until the broker has read it all. */
  async run(endMs: number): Promise<void> {
    this.#readAnswers();
    while (epochNowMs() < endMs && !this.#closed) {
      while (this.#unanswered >= this.#batchesMax) await this.#answered();
      this.#batch.number(this.sent, this.#batchMessages);
      this.#unanswered++;
      await writeAll(this.#conn, this.#batch.bytes);
      this.sent += this.#batchMessages;
    }
    while (this.#unanswered > 0 && !this.#closed) await this.#answered();
    if (this.#closed) throw new Error("Cannot flood: closed by the broker");
  }

  /** Ends the connection in the way of the protocol. */
  async close(): Promise<void> {
    await writeAll(this.#conn, DISCONNECT);
    closeQuietly(this.#conn);
  }

  async #readAnswers(): Promise<void> {
    const buffer = new Uint8Array(4096);
    let bytes = 0;
    try {
      for (;;) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        bytes += count;
        this.#unanswered -= bytes >> 1;
        bytes &= 1;
        this.#wake?.();
      }
    } catch {
      // A reset ends the answers as an orderly end does; run() tells of both.
    }
    this.#closed = true;
    this.#wake?.();
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
