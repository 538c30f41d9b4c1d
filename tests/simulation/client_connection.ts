/** A client's end of a virtual Network Connection: Control Packets in and out. */
import {
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
} from "../../src/mqtt/mod.ts";
import { concatenate } from "../support/wire_client.ts";
import type { Link, LinkClient } from "./link.ts";

const NOTHING = new Uint8Array(0);

/** Who the packets of a connection are for. */
export interface PacketReceiver {
  packetArrived(connection: ClientConnection, packet: ControlPacket): void;
  /** The broker, or the network, has ended the connection. */
  endArrived(connection: ClientConnection): void;
}

/** What connects clients with the broker that runs at the moment. */
export interface Network {
  /** Opens a connection; null while no broker runs. */
  connect(client: LinkClient, brokerSawEnd: () => void): Link | null;
}

/** One connection of a client. */
export class ClientConnection implements LinkClient {
  readonly #receiver: PacketReceiver;
  #link: Link | null = null;
  #undecoded: Uint8Array = NOTHING;
  /** Whether it can be used, as far as the client knows. */
  open = true;

  private constructor(receiver: PacketReceiver) {
    this.#receiver = receiver;
  }

  /** Opens a connection; null while no broker runs. */
  static connect(
    network: Network,
    receiver: PacketReceiver,
    brokerSawEnd: (connection: ClientConnection) => void,
  ): ClientConnection | null {
    const connection = new ClientConnection(receiver);
    connection.#link = network.connect(connection, () => brokerSawEnd(connection));
    return connection.#link === null ? null : connection;
  }

  send(packet: ControlPacket): void {
    this.#link?.toServer.write(encodePacket(packet));
  }

  /** Ends the connection behind what was sent. */
  close(): void {
    this.open = false;
    this.#link?.close();
  }

  /** The network fails: any part of what is under way arrives, or nothing. */
  cut(noticeMs: number, { keepsBytes }: { keepsBytes: boolean }): void {
    this.open = false;
    this.#link?.cut(noticeMs, { keepsBytes });
  }

  /** While frozen nothing is read. */
  freeze(frozen: boolean): void {
    this.#link?.toClient.freeze(frozen);
  }

  bytesArrived(bytes: Uint8Array): void {
    const all = concatenate([this.#undecoded, bytes]);
    let position = 0;
    while (this.open) {
      const result = decodePacket(all, position, PROTOCOL_LIMITS);
      if (result.status === "error") {
        throw new Error(`Cannot decode what the broker sent: ${result.error.reason}`);
      }
      if (result.status === "incomplete") break;
      position = result.end;
      this.#receiver.packetArrived(this, result.packet);
    }
    this.#undecoded = all.subarray(position);
  }

  endArrived(): void {
    this.open = false;
    this.#receiver.endArrived(this);
  }
}
