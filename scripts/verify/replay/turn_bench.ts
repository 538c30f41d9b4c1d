/** The turns of the server over a core whose sockets are lists: every step is the real code's. */
import { logOptions } from "../../../src/_server_log.ts";
import { type TurnHands, Turns } from "../../../src/_server_turns.ts";
import {
  type AccessPolicy,
  Broker,
  type BrokerEvent,
  type BrokerLimits,
  type Connection,
  OPEN_ACCESS,
  type PendingAuthentication,
} from "../../../src/broker/mod.ts";
import { DEFAULT_CONFIG } from "../../../src/config/mod.ts";
import { brokerLimits } from "../../../src/_server_parts.ts";
import {
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
} from "../../../src/mqtt/mod.ts";
import type { Store } from "../../../src/store/mod.ts";
import type { ConnectionDriver } from "../../../src/transport/mod.ts";

/** A connection and what left the process on it. */
export class BenchSocket {
  readonly connection: Connection;
  /** Packets that were handed to the socket. */
  readonly received: ControlPacket[] = [];
  /** Whether the server has ended it. */
  ended = false;
  readonly #turns: Turns;

  constructor(turns: Turns, connection: Connection) {
    this.#turns = turns;
    this.connection = connection;
  }

  /** Hands packets to the core, without the end of the turn. */
  send(...packets: readonly ControlPacket[]): void {
    for (const packet of packets) {
      const bytes = encodePacket(packet);
      const range = { start: 0, end: bytes.length, instant: this.#turns.instant() };
      const position = this.#turns.broker.receive(this.connection, bytes, range);
      if (position !== bytes.length) throw new Error(`Cannot send ${packet.type}: it is not read`);
    }
  }

  /** What the driver of a connection does at the end of a turn, where the socket takes all. */
  flush(): void {
    const { broker } = this.#turns;
    const { connection } = this;
    const { outbox } = connection;
    while (outbox.length > 0 && !connection.aborted) {
      const { length } = outbox;
      const block = outbox.detach();
      connection.writingBytes = length;
      this.received.push(...packetsIn(block.subarray(0, length)));
      broker.drained(connection, length, this.#turns.instant());
    }
    if (!connection.closed || this.ended) return;
    if (!connection.aborted && connection.gated !== null) return;
    this.ended = true;
    broker.gone(connection);
  }
}

/** A core with its turns. */
export class TurnBench implements TurnHands {
  readonly turns: Turns;
  /** What happened in the core. */
  readonly events: BrokerEvent[] = [];
  /** CONNECTs that wait for their verdict. */
  readonly pending: PendingAuthentication[] = [];
  readonly #sockets = new Map<Connection, BenchSocket>();
  #nextHandle = 1;

  constructor(
    store: Store,
    options: { policy?: AccessPolicy; limits?: Partial<BrokerLimits> } = {},
  ) {
    this.turns = new Turns((pool) =>
      new Broker({
        limits: { ...brokerLimits(DEFAULT_CONFIG), ...options.limits },
        policy: options.policy ?? OPEN_ACCESS,
        sparkplug: null,
        journal: store.journal,
        randomId: () => `random-${this.#nextHandle}`,
        pool,
      }), {
      store,
      witness: { happened: (event) => this.events.push(event), denied: () => {}, missed: () => {} },
      logOptions: logOptions(DEFAULT_CONFIG.log),
      writeLog: () => {},
      lineSeen: () => {},
    });
    this.turns.broker.restore(store.load(), this.turns.instant());
    this.turns.serve(this);
  }

  get broker(): Broker {
    return this.turns.broker;
  }

  /** A connection that has sent nothing. */
  open(): BenchSocket {
    const origin = { remoteAddress: "192.0.2.1:1", listener: "bench" };
    const connection = this.broker.opened(this.#nextHandle++, origin, this.turns.instant());
    if (connection === null) throw new Error("Cannot open connection: refused by the broker");
    const socket = new BenchSocket(this.turns, connection);
    this.#sockets.set(connection, socket);
    return socket;
  }

  /** The turn asks for it where a connection has something to do; the bench does it itself. */
  driver(connection: Connection): ConnectionDriver | undefined {
    this.#sockets.get(connection)?.flush();
    return undefined;
  }

  refused(): void {}

  authenticate(pending: PendingAuthentication): void {
    this.pending.push(pending);
  }
}

/** The packets in bytes, all of which must be complete. */
export function packetsIn(bytes: Uint8Array): ControlPacket[] {
  const packets: ControlPacket[] = [];
  for (let position = 0; position < bytes.length;) {
    const result = decodePacket(bytes, position, PROTOCOL_LIMITS);
    if (result.status !== "packet") throw new Error(`Cannot decode what left: ${result.status}`);
    packets.push(result.packet);
    position = result.end;
  }
  return packets;
}
