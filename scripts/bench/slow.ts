/** The worker that floods a frozen and a slow subscriber, to see whom else it hurts. */

import { type ClientStream, closeQuietly, writeAll } from "../../src/client/mod.ts";
import { epochNowMs, sleep } from "./clock.ts";
import { FloodPublisher } from "./flood.ts";
import type { ControlLink } from "./link.ts";
import { PublishBatch } from "./packets.ts";
import { Receiver } from "./receiver.ts";
import type { SlowResult, SlowSpec } from "./roles.ts";
import { WindowedPublisher } from "./windowed.ts";
import { openClient, subscribe } from "./wire.ts";

const READ_INTERVAL_MS = 10;
const BUFFER_BYTES = 65_536;

/** Runs the worker: floods from "go" until the end of the window, whatever becomes of it. */
export async function runSlow(spec: SlowSpec, link: ControlLink): Promise<void> {
  const frozen = await openClient(spec, { id: "bench-frozen" });
  await subscribe(frozen, { filters: [spec.topic], qos: 1 });
  const slow = await openClient(spec, { id: "bench-slow" });
  await subscribe(slow, { filters: [spec.topic], qos: 1 });
  const floodConn = await openClient(spec, { id: "bench-slow-flood" });
  const windowConn = await openClient(spec, { id: "bench-slow-window" });
  const flood = new FloodPublisher(floodConn, {
    batch: new PublishBatch({
      topics: [spec.topic],
      count: spec.batchMessages,
      qos: 0,
      publisher: 0,
    }),
    spec: { batchMessages: spec.batchMessages, batchesMax: 0 },
  });
  const windowed = new WindowedPublisher(windowConn, {
    topic: spec.topic,
    qos: 1,
    window: spec.window,
    publisher: 1,
  });
  link.ready({});
  const { windowEndMs } = await link.expect("go");
  const result: SlowResult = { sentQos0: 0, sentQos1: 0, slowReceived: 0, closed: 0 };
  async function counted(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch {
      if (epochNowMs() < windowEndMs) result.closed++;
    }
  }
  const reading = counted(readSlowly(slow, { spec, windowEndMs, result }));
  const publishing = [counted(flood.run(windowEndMs)), counted(windowed.run(windowEndMs))];
  await sleep(windowEndMs - epochNowMs());
  // A broker may hold a publisher back for good here, so nothing waits for the handshakes' end.
  for (const conn of [floodConn, windowConn, slow, frozen]) closeQuietly(conn);
  await Promise.all([reading, ...publishing]);
  result.sentQos0 = flood.sent;
  result.sentQos1 = windowed.acknowledged;
  link.done(result);
}

async function readSlowly(
  conn: ClientStream,
  work: { spec: SlowSpec; windowEndMs: number; result: SlowResult },
): Promise<void> {
  const { topic } = work.spec;
  const receiver = new Receiver({ qos: "mixed", publishers: 2, bufferBytes: BUFFER_BYTES, topic });
  const startMs = epochNowMs();
  let bytes = 0;
  while (epochNowMs() < work.windowEndMs) {
    const allowance = ((epochNowMs() - startMs) / 1000) * work.spec.slowBytesPerS - bytes;
    if (allowance >= 1) {
      const count = await conn.read(receiver.room(Math.floor(allowance)));
      if (count === null) throw new Error("Cannot read slowly: closed by the broker");
      bytes += count;
      const acks = receiver.accept(count);
      work.result.slowReceived = receiver.received;
      if (acks.length > 0) await writeAll(conn, acks);
    }
    await sleep(READ_INTERVAL_MS);
  }
}
