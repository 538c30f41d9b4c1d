/** One client that floods must not be the only one served. */
import { assert } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { type ByteStream, ConnectionDriver } from "../../src/transport/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, connectPacket, publishPacket, WireClient } from "../support/wire_client.ts";

/** A peer that always has bytes ready, for this many reads. */
class Flood implements ByteStream {
  readonly #bytes = concatenate([
    encodePacket(connectPacket({ clientIdentifier: "flood" })),
    ...Array.from({ length: 500 }, () => encodePacket(publishPacket("flood", "x".repeat(100)))),
  ]);
  #reads: number;
  #at = 0;

  #closed = false;

  constructor(reads: number) {
    this.#reads = reads;
  }

  read(target: Uint8Array): Promise<number | null> {
    if (this.#reads-- === 0 || this.#closed) return Promise.resolve(null);
    const part = this.#bytes.subarray(this.#at, this.#at + target.length);
    target.set(part);
    this.#at += part.length;
    // From the second round on without the CONNECT in front.
    if (this.#at === this.#bytes.length) this.#at = 14 + "flood".length;
    return Promise.resolve(part.length);
  }

  write(source: Uint8Array): Promise<number> {
    return Promise.resolve(source.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closed = true;
  }
}

Deno.test("a client whose bytes are always ready does not keep others from being served", async () => {
  await using broker = await TestBroker.start();
  let served = false;
  const other = WireClient.connect(broker.port).then((client) => {
    served = true;
    client.close();
  });
  const origin = { remoteAddress: "flood", listener: "test" };
  const driver = ConnectionDriver.open(new Flood(50_000), broker.server.turns, {
    handle: -1,
    origin,
  });
  assert(driver !== null);
  await driver.run();
  const servedDuringFlood = served;
  await other;
  assert(servedDuringFlood, "the other client was served only behind the flood");
  assert(broker.server.broker.statistics.publishReceived > 1_000_000);
});

Deno.test("a client that goes on sending behind its end does not keep the event loop busy", async () => {
  await using broker = await TestBroker.start();
  const origin = { remoteAddress: "flood", listener: "test" };
  const flood = new Flood(Infinity);
  const driver = ConnectionDriver.open(flood, broker.server.turns, { handle: -2, origin });
  assert(driver !== null);
  const { connection } = driver;
  const ended = driver.run();
  broker.server.broker.close(connection, "protocolError", broker.server.turns.instant());
  // The transport knows this driver only here, so what a turn would do is done by hand.
  driver.flush();
  await ended;
});
