/** The gate between the network and TLS, over a stream that never ends. */
import { assertEquals, assertLess } from "@std/assert";
import { Duplex } from "node:stream";
import type { ByteStream } from "../../src/transport/mod.ts";
import { CiphertextGate, type GateEvents } from "../../src/transport/ciphertext_gate.ts";

/** A peer that floods. */
class Flood implements ByteStream {
  reads = 0;
  closed = false;

  read(target: Uint8Array): Promise<number | null> {
    this.reads++;
    return this.closed ? Promise.reject(new Error("closed")) : Promise.resolve(target.length);
  }

  write(source: Uint8Array): Promise<number> {
    return Promise.resolve(Math.min(source.length, 3));
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

function gateOver(stream: ByteStream, events: Partial<GateEvents> = {}): CiphertextGate {
  return new CiphertextGate(stream, {
    makeDuplex: (options) => new Duplex(options),
    ended: () => {},
    failed: () => {},
    ...events,
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("a handshake that is too long is an end", async () => {
  const ended = Promise.withResolvers<void>();
  const gate = gateOver(new Flood(), { ended: ended.resolve });
  gate.bytesReadMax = 100_000;
  gate.duplex.on("data", () => {});
  await ended.promise;
  // The read that passed the limit was the last one.
  assertLess(gate.bytesRead, 100_000 + 65_537);
  gate.close();
});

Deno.test("a flood lets timers run, and a shut gate stops it", async () => {
  const stream = new Flood();
  const gate = gateOver(stream);
  gate.duplex.on("data", () => {});
  await pause(20);
  gate.shut();
  await pause(20);
  const { reads } = stream;
  await pause(20);
  assertEquals(stream.reads, reads);
  gate.open();
  await pause(20);
  assertLess(reads, stream.reads);
  gate.close();
  await pause(20);
  assertEquals(stream.closed, true);
});

Deno.test("what the network takes in parts is written to the end", async () => {
  const parts: number[] = [];
  const stream = new Flood();
  stream.write = (source) => {
    parts.push(source.length);
    return Promise.resolve(Math.min(source.length, 3));
  };
  const gate = gateOver(stream);
  await new Promise<void>((resolve) => gate.duplex.write(new Uint8Array(8), () => resolve()));
  assertEquals(parts, [8, 5, 2]);
  gate.close();
});

Deno.test("a write that fails closes the stream and throws nowhere", async () => {
  const stream = new Flood();
  stream.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken"));
  const failed = Promise.withResolvers<void>();
  const gate = gateOver(stream, { failed: failed.resolve });
  gate.duplex.write(new Uint8Array(8));
  await failed.promise;
  assertEquals(gate.duplex.destroyed, true);
  assertEquals(stream.closed, true);
});
