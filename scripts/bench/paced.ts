/** The worker that publishes at a fixed rate, in small ticks. */

import { type ClientStream, closeQuietly, writeAll } from "../../src/client/mod.ts";
import { blockUntil, epochNowMs } from "./clock.ts";
import type { ControlLink } from "./link.ts";
import { DISCONNECT, PublishBatch } from "./packets.ts";
import type { PacedResult, PacedSpec } from "./roles.ts";
import { openClient } from "./wire.ts";

/** Ticks that may be made up for in one write after a delay. */
const TICKS_AT_ONCE = 100;
/** A tick that begins so late because of the writes before it was held up by the broker. */
const HELD_UP_MS = 1;

interface PacedPublisher {
  conn: ClientStream;
  batch: PublishBatch;
  sent: number;
}

/**
 * Runs the worker to its end. Every message carries two times: when it was due and when it was
 * written. It is due at its tick, or, when this process itself woke too late for the tick, at the
 * waking: that delay is the machine's and not the broker's. A write that the broker does not take
 * delays the ticks behind it but not their due times, so a held-up publisher counts in full.
 */
export async function runPaced(spec: PacedSpec, link: ControlLink): Promise<void> {
  const perTick = (spec.ratePerS * spec.tickMs) / 1000;
  if (!Number.isInteger(perTick)) throw new Error("Cannot pace: a tick must hold whole messages");
  const publishers: PacedPublisher[] = [];
  for (const [index, topic] of spec.topics.entries()) {
    const conn = await openClient(spec, { id: `bench-paced-${epochNowMs()}-${index}` });
    const count = perTick * TICKS_AT_ONCE;
    const batch = new PublishBatch({ topics: [topic], count, qos: 0, publisher: index });
    publishers.push({ conn, batch, sent: 0 });
  }
  link.ready({});
  const { windowEndMs } = await link.expect("go");
  const lateness: number[] = [];
  const startMs = epochNowMs() + spec.tickMs;
  const ticks = Math.floor((windowEndMs - startMs) / spec.tickMs);
  let tick = 0;
  while (tick < ticks) {
    const tickMs = startMs + tick * spec.tickMs;
    const heldUp = epochNowMs() > tickMs + HELD_UP_MS;
    blockUntil(tickMs);
    const nowMs = epochNowMs();
    const due = Math.floor((nowMs - startMs) / spec.tickMs) + 1 - tick;
    const count = Math.min(due, TICKS_AT_ONCE, ticks - tick);
    for (let index = 0; index < count; index++) {
      lateness.push(nowMs - startMs - (tick + index) * spec.tickMs);
    }
    const run = { ticks: count, perTick, tickMs: spec.tickMs, dueMs: heldUp ? tickMs : nowMs };
    await Promise.all(publishers.map((publisher) => publishTicks(publisher, run)));
    tick += count;
  }
  lateness.sort((a, b) => a - b);
  const result: PacedResult = {
    sent: publishers.map((publisher) => publisher.sent),
    acknowledged: [],
    latenessP99Ms: lateness[Math.floor(lateness.length * 0.99)] ?? NaN,
  };
  link.done(result);
  for (const { conn } of publishers) {
    await writeAll(conn, DISCONNECT);
    closeQuietly(conn);
  }
}

async function publishTicks(
  publisher: PacedPublisher,
  run: { ticks: number; perTick: number; tickMs: number; dueMs: number },
): Promise<void> {
  const { batch } = publisher;
  const count = run.ticks * run.perTick;
  batch.number(publisher.sent, count);
  const writtenMs = epochNowMs();
  for (let index = 0; index < count; index++) {
    const tick = Math.floor(index / run.perTick);
    const dueMs = Math.min(run.dueMs + tick * run.tickMs, writtenMs);
    batch.stamp(index, { dueMs, writtenMs });
  }
  publisher.sent += count;
  await writeAll(publisher.conn, batch.bytes.subarray(0, count * batch.stride));
}
