/** The broker's end of a virtual Network Connection: the connection driver without promises. */
import type { Broker, Connection, Instant } from "../../src/broker/mod.ts";
import type { BlockPool } from "../../src/mqtt/mod.ts";
import { concatenate } from "../support/wire_client.ts";
import type { Link } from "./link.ts";

const NOTHING = new Uint8Array(0);
/** How long a closed connection may take its last bytes before its socket goes. */
const LINGER_MS = 1_000;

/** What a socket needs of its process. */
export interface SocketOwner {
  readonly broker: Broker;
  readonly pool: BlockPool;
  instant(): Instant;
  requestTurn(): void;
  /** Does something later, if the process lives on. */
  after(delayMs: number, act: () => void): void;
  forget(socket: ServerSocket): void;
}

/** Moves bytes between a link and the core. */
export class ServerSocket {
  readonly connection: Connection;
  readonly link: Link;
  readonly #owner: SocketOwner;
  #input: Uint8Array = NOTHING;
  #writing: Uint8Array = NOTHING;
  #block: Uint8Array | null = null;
  #peerClosed = false;
  #lingers = false;
  #finished = false;
  #ended = false;

  constructor(owner: SocketOwner, connection: Connection, link: Link) {
    this.#owner = owner;
    this.connection = connection;
    this.link = link;
  }

  /** Bytes came from the client. */
  received(bytes: Uint8Array): void {
    if (this.connection.closed || this.#ended) return;
    this.#input = concatenate([this.#input, bytes]);
    this.present();
  }

  /** The client's side is gone; what it had sent is read before that is seen. */
  peerClosed(): void {
    this.#peerClosed = true;
    if (this.#ended || (this.#input.length > 0 && !this.connection.closed)) return;
    const { broker } = this.#owner;
    this.link.sawEnd();
    broker.close(this.connection, "peerClosed", this.#owner.instant());
    this.#owner.requestTurn();
    this.#end();
  }

  /** Presents what came to the core, as far as the core wants it. */
  present(): void {
    const { broker } = this.#owner;
    const { connection } = this;
    if (connection.closed || this.#input.length === 0) return;
    if (connection.readable && !broker.turnFull) {
      // A copy that is destroyed afterwards: the core must not keep views of what it was given.
      const bytes = this.#input.slice();
      const range = { start: 0, end: bytes.length, instant: this.#owner.instant() };
      const position = broker.receive(connection, bytes, range);
      bytes.fill(0xee);
      this.#input = this.#input.subarray(position);
    }
    if (connection.closed) this.#input = NOTHING;
    else if (broker.turnFull) this.#owner.after(0, () => this.present());
    if (this.#peerClosed) this.peerClosed();
    this.#owner.requestTurn();
  }

  /** The core has bytes to send, or has closed the connection. */
  flush(): void {
    if (this.#ended) return;
    const { connection } = this;
    if (connection.closed) {
      if (connection.aborted) return this.#end();
      if (!this.#lingers) this.#owner.after(LINGER_MS, () => this.#end());
      this.#lingers = true;
    }
    this.#write();
    const isEmpty = connection.pendingBytes === 0 && connection.gated === null;
    if (!connection.closed || !isEmpty || this.#finished) return;
    this.#finished = true;
    this.link.toClient.end();
  }

  /** The client has taken bytes: there is room again. */
  roomInSocket(): void {
    if (!this.#ended) this.flush();
  }

  #write(): void {
    const { connection, link } = this;
    const { broker, pool } = this.#owner;
    for (;;) {
      if (this.#writing.length === 0) {
        if (this.#block !== null) pool.give(this.#block);
        this.#block = null;
        const length = connection.outbox.length;
        if (length === 0 || connection.aborted) return;
        this.#block = connection.outbox.detach();
        this.#writing = this.#block.subarray(0, length);
        connection.writingBytes = length;
        connection.lastWriteMs = this.#owner.instant().nowMs;
      }
      const room = link.socketBytes - link.toClient.length;
      const count = Math.min(room, this.#writing.length);
      if (count <= 0) return;
      link.toClient.write(this.#writing.subarray(0, count));
      this.#writing = this.#writing.subarray(count);
      broker.drained(connection, count, this.#owner.instant());
      this.#owner.requestTurn();
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#block !== null) this.#owner.pool.give(this.#block);
    this.#block = null;
    this.link.closedByServer();
    this.#owner.broker.gone(this.connection);
    this.#owner.forget(this);
  }
}
