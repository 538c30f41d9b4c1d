/** A virtual Network Connection: two pipes, and the ways in which it can end. */
import { Pipe, type PipeWorld } from "./pipe.ts";

/** Who holds the client's end of a link. */
export interface LinkClient {
  bytesArrived(bytes: Uint8Array): void;
  /** The broker, or the network, has ended the connection. */
  endArrived(): void;
}

/** Who holds the broker's end of a link. */
export interface LinkServer {
  received(bytes: Uint8Array): void;
  peerClosed(): void;
  roomInSocket(): void;
}

/** What a link looks like. */
export interface LinkOptions {
  readonly client: LinkClient;
  /** Bytes that the broker's socket takes before the client reads them. */
  readonly socketBytes: number;
  /** The broker has seen the end of the connection. */
  readonly brokerSawEnd: () => void;
}

/** One connection between a client and the broker process that accepted it. */
export class Link {
  readonly toServer: Pipe;
  readonly toClient: Pipe;
  readonly socketBytes: number;
  /** The broker has seen the end of the connection. */
  readonly sawEnd: () => void;
  #server: LinkServer | null = null;
  #clientLeft = false;

  constructor(world: PipeWorld, options: LinkOptions) {
    this.socketBytes = options.socketBytes;
    this.sawEnd = options.brokerSawEnd;
    this.toServer = new Pipe(world, {
      bytesArrived: (bytes) => this.#server?.received(bytes),
      endArrived: () => this.#server?.peerClosed(),
    });
    this.toClient = new Pipe(world, {
      bytesArrived: (bytes) => {
        if (!this.#clientLeft) options.client.bytesArrived(bytes);
        this.#server?.roomInSocket();
      },
      endArrived: () => {
        if (this.#clientLeft) return;
        this.#clientLeft = true;
        this.toServer.end();
        options.client.endArrived();
      },
    });
  }

  /** The broker process accepts the connection. */
  accept(server: LinkServer): void {
    this.#server = server;
  }

  /** The client ends the connection behind what it has sent. */
  close(): void {
    this.#clientLeft = true;
    this.toClient.abandon();
    this.toServer.end();
  }

  /** The network fails for both; the broker notices after `noticeMs`, the client at once. */
  cut(noticeMs: number, { keepsBytes }: { keepsBytes: boolean }): void {
    this.#clientLeft = true;
    this.toClient.abandon();
    if (!keepsBytes) this.toServer.lose();
    this.toServer.cut(noticeMs);
  }

  /** The broker's socket is closed: what it has taken may still arrive. */
  closedByServer(): void {
    this.#server = null;
    this.toServer.abandon();
    this.toClient.end();
  }

  /** The broker process is gone: any part of what it sent still arrives. */
  crash(): void {
    this.#server = null;
    this.toServer.abandon();
    this.toClient.cut();
  }
}
