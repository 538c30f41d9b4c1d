/** The parts of the load generator that count. */
import { assert, assertEquals } from "@std/assert";
import { Latencies } from "../../src/client/latencies.ts";
import { LoadBatch } from "../../src/client/load_batch.ts";
import { LoadSubscriber } from "../../src/client/load_subscriber.ts";
import { name } from "../support/wire_client.ts";
import { FedStream } from "./_fed_stream.ts";

/** What a subscriber counts when messages with these numbers come, in chunks of so many bytes. */
async function counted(
  sequences: readonly number[],
  chunkBytes: number,
): Promise<{ counts: number[]; acks: number[]; failure: unknown }> {
  const shape = { topic: name("t"), qos: 1, payloadBytes: 200 } as const;
  const batch = new LoadBatch(shape, sequences.length);
  sequences.forEach((sequence, i) => {
    batch.stamp(i, { sequence, dueMs: 0 });
    batch.identify(i, 256 + sequence);
  });
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < batch.bytes.length; at += chunkBytes) {
    chunks.push(batch.bytes.subarray(at, at + chunkBytes));
  }
  const stream = new FedStream(chunks);
  const subscriber = new LoadSubscriber(stream, {
    latencies: new Latencies(),
    packetBytesMax: batch.stride,
  });
  while (subscriber.failure === null) await new Promise((resolve) => setTimeout(resolve, 0));
  const { received, missing, disorder, failure } = subscriber;
  return { counts: [received, missing, disorder], acks: stream.written, failure };
}

Deno.test("a subscriber sees what is missing, doubled and out of order, and acknowledges all", async () => {
  for (const chunkBytes of [1, 7, 210, 100_000]) {
    assertEquals((await counted([0, 1, 2, 3], chunkBytes)).counts, [4, 0, 0]);
    assertEquals((await counted([0, 1, 4, 5], chunkBytes)).counts, [4, 2, 0]);
    const { counts, acks } = await counted([0, 2, 1, 1], chunkBytes);
    assertEquals(counts, [4, 1, 2]);
    const expected = [0, 2, 1, 1].flatMap((id) => [0x40, 2, 1, id]);
    assertEquals(acks, expected);
  }
});

Deno.test("percentiles are at most 2 % too high, and the greatest is exact", () => {
  const latencies = new Latencies();
  assert(Number.isNaN(latencies.figures().p50Ms));
  for (let ms = 1; ms <= 10_000; ms++) latencies.note(ms / 10);
  const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = latencies.figures();
  const exact = [500, 900, 990, 999];
  [p50Ms, p90Ms, p99Ms, p999Ms].forEach((ms, i) => {
    assert(ms >= exact[i]! && ms <= exact[i]! * 1.021, `${ms} for ${exact[i]}`);
  });
  assertEquals(maxMs, 1_000);
});
