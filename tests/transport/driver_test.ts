/** The driver of one connection over a byte stream that does what the test says. */
import { assertEquals, assertRejects } from "@std/assert";
import { type AccessPolicy, Broker, type Instant, OPEN_ACCESS } from "../../src/broker/mod.ts";
import {
  BlockPool,
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
} from "../../src/mqtt/mod.ts";
import { MemoryStore, type Store } from "../../src/store/mod.ts";
import { type ByteStream, ConnectionDriver, type TurnOwner } from "../../src/transport/mod.ts";
import { DelayedStore } from "../broker/_delayed_store.ts";
import { TEST_LIMITS } from "../broker/_limits.ts";
import { concatenate, connectPacket, name, publishPacket } from "../support/wire_client.ts";

const ORIGIN = { remoteAddress: "192.0.2.1:1", listener: "test" };

/** A peer that sends some packets, then fails or keeps silent until the stream is closed. */
class ScriptedStream implements ByteStream {
  /** What the driver did, in order; writes by the types of their packets. */
  readonly acts: string[] = [];
  readonly #chunks: Uint8Array[];
  readonly #fails: "read" | "write" | null;
  #closed: (() => void) | null = null;

  constructor(packets: readonly ControlPacket[], fails: "read" | "write" | null = null) {
    this.#chunks = [concatenate(packets.map(encodePacket))];
    this.#fails = fails;
  }

  read(target: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      target.set(chunk);
      return Promise.resolve(chunk.length);
    }
    if (this.#fails === "read") return Promise.reject(new Deno.errors.ConnectionReset("reset"));
    return new Promise((resolve) => {
      this.#closed = () => resolve(null);
    });
  }

  write(source: Uint8Array): Promise<number> {
    if (this.#fails === "write") return Promise.reject(new Deno.errors.BrokenPipe("broken"));
    this.acts.push(typesOf(source).join("+"));
    return Promise.resolve(source.length);
  }

  closeWrite(): Promise<void> {
    this.acts.push("closeWrite");
    return Promise.resolve();
  }

  close(): void {
    this.acts.push("close");
    this.#closed?.();
  }

  /** The peer closes its side, too. */
  hangUp(): void {
    this.#closed?.();
  }
}

function typesOf(bytes: Uint8Array): string[] {
  const types: string[] = [];
  for (let position = 0; position < bytes.length;) {
    const result = decodePacket(bytes, position, PROTOCOL_LIMITS);
    if (result.status !== "packet") throw new Error(`Cannot decode write: ${result.status}`);
    types.push(result.packet.type);
    position = result.end;
  }
  return types;
}

/** Turns as the server makes them, for one driver. */
class OneDriver implements TurnOwner {
  readonly broker: Broker;
  readonly pool = new BlockPool(65_536);
  readonly driver: ConnectionDriver;
  /** Causes of the closed connections. */
  readonly causes: string[] = [];
  readonly #store: Store;
  #requested = false;

  constructor(stream: ByteStream, options: { policy?: AccessPolicy; store?: Store } = {}) {
    this.#store = options.store ?? new MemoryStore();
    this.broker = new Broker({
      limits: TEST_LIMITS,
      policy: options.policy ?? OPEN_ACCESS,
      sparkplug: null,
      journal: this.#store.journal,
      randomId: () => "random",
      pool: this.pool,
    });
    this.driver = ConnectionDriver.open(stream, this, { handle: 1, origin: ORIGIN })!;
  }

  instant(): Instant {
    return { nowMs: Math.ceil(performance.now()), wallMs: Date.now() };
  }

  received(): Instant {
    return this.instant();
  }

  requestTurn(): void {
    if (this.#requested) return;
    this.#requested = true;
    queueMicrotask(() => this.endTurn());
  }

  nextIteration(): Promise<void> {
    return settled();
  }

  endTurn(): void {
    this.#requested = false;
    if (this.#store.dirty) {
      const committed = this.#store.commit();
      if (typeof committed === "number") this.broker.committed(committed);
    }
    const { dirty, resumed } = this.broker.endTurn();
    if (dirty.length > 0) this.driver.flush();
    if (resumed.length > 0) this.driver.resume();
    for (const event of this.broker.takeEvents()) {
      if (event.kind === "closed") this.causes.push(event.cause);
    }
  }
}

/** Resolves when everything that is ready has been carried out. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function policyThatThrows(where: "connect" | "publish"): AccessPolicy {
  return {
    ...OPEN_ACCESS,
    [where]: () => {
      throw new Error("Cannot decide: broken policy");
    },
  };
}

for (const where of ["connect", "publish"] as const) {
  Deno.test(`a fault of the core at ${where} rejects the run and is no lost connection`, async () => {
    const stream = new ScriptedStream([connectPacket(), publishPacket("t", "x")]);
    const owner = new OneDriver(stream, { policy: policyThatThrows(where) });
    await assertRejects(() => owner.driver.run(), Error, "Cannot decide: broken policy");
    await settled();
    assertEquals(owner.causes, []);
  });
}

Deno.test("a read that rejects is the end of the connection, and no rejection [MQTT-3.1.2-8]", async () => {
  const will = { topic: name("will") };
  const stream = new ScriptedStream([connectPacket({ will })], "read");
  const owner = new OneDriver(stream);
  await owner.driver.run();
  await settled();
  assertEquals(owner.causes, ["peerClosed"]);
  assertEquals(owner.broker.statistics.willsPublished, 1);
  assertEquals(owner.broker.statistics.connectionsOpen, 0);
});

Deno.test("a write that rejects is the end of the connection, and no rejection [MQTT-3.1.2-8]", async () => {
  const will = { topic: name("will") };
  const stream = new ScriptedStream([connectPacket({ will })], "write");
  const owner = new OneDriver(stream);
  await owner.driver.run();
  await settled();
  assertEquals(owner.causes, ["peerClosed"]);
  assertEquals(stream.acts, ["close"]);
  assertEquals(owner.broker.statistics.willsPublished, 1);
  assertEquals(owner.broker.statistics.connectionsOpen, 0);
});

Deno.test("acknowledgements at the gate leave before our side is closed behind DISCONNECT", async () => {
  const store = new DelayedStore();
  const stream = new ScriptedStream([
    connectPacket({ clientIdentifier: "a", cleanSession: false }),
    publishPacket("t", "x", { qos: 1, retain: true, packetId: 1 }),
    { type: "DISCONNECT" },
  ]);
  const owner = new OneDriver(stream, { store });
  const run = owner.driver.run();
  await settled();
  assertEquals(owner.causes, ["disconnect"]);
  assertEquals(stream.acts, []);
  owner.broker.committed(store.sealed);
  owner.requestTurn();
  await settled();
  assertEquals(stream.acts, ["CONNACK+PUBACK", "closeWrite"]);
  stream.hangUp();
  await run;
  assertEquals(stream.acts, ["CONNACK+PUBACK", "closeWrite", "close"]);
});

Deno.test("a connection that waits for a commit that does not come is closed after the linger", async () => {
  const stream = new ScriptedStream([
    connectPacket({ clientIdentifier: "a", cleanSession: false }),
    { type: "DISCONNECT" },
  ]);
  const owner = new OneDriver(stream, { store: new DelayedStore() });
  await owner.driver.run();
  assertEquals(stream.acts, ["close"]);
  assertEquals(owner.broker.statistics.connectionsOpen, 0);
});
