/** Control Packets byte by byte, for what no encoder should make, and sockets without a decoder. */
import { assertEquals } from "@std/assert";
import { concatenate, type WireClient, WireClient as Client } from "../support/wire_client.ts";

/** How long a test waits for bytes that should be there at once. */
const PATIENCE_MS = 5_000;

/** A CONNECT field by field; what is left out is that of a valid clean session. */
export interface RawConnect {
  readonly protocolName?: string | Uint8Array;
  readonly level?: number;
  readonly flags?: number;
  readonly keepAliveSeconds?: number;
  /** The payload's fields as they are; a Client Identifier of 4 bytes if left out. */
  readonly payload?: readonly Uint8Array[];
}

/** Bytes from numbers. */
export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Bytes from hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(/\s/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** A 16-bit integer. */
export function uint16(value: number): Uint8Array {
  return bytes(value >> 8, value & 0xff);
}

/** A field with its two length bytes. */
export function field(content: string | Uint8Array): Uint8Array {
  const encoded = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return concatenate([uint16(encoded.length), encoded]);
}

/** A whole packet: first byte, Remaining Length, fields. */
export function packet(first: number, ...fields: readonly Uint8Array[]): Uint8Array {
  const body = concatenate(fields);
  const header = [first];
  let rest = body.length;
  while (rest > 0x7f) {
    header.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  header.push(rest);
  return concatenate([Uint8Array.from(header), body]);
}

/** A CONNECT with these fields. */
export function rawConnect(connect: RawConnect = {}): Uint8Array {
  return packet(
    0x10,
    field(connect.protocolName ?? "MQTT"),
    bytes(connect.level ?? 4, connect.flags ?? 0x02),
    uint16(connect.keepAliveSeconds ?? 0),
    ...(connect.payload ?? [field("peer")]),
  );
}

/** Sends bytes on a new connection and fails unless the broker closes it without an answer. */
export async function expectRejected(port: number, content: Uint8Array): Promise<void> {
  using client = await Client.open(port);
  await client.sendBytes(content);
  assertEquals(await client.expectClosed(), []);
}

/** Sends bytes on a new, accepted connection and fails unless it is closed without an answer. */
export async function expectViolation(port: number, content: Uint8Array): Promise<void> {
  using client = await Client.connect(port);
  await client.sendBytes(content);
  assertEquals(await client.expectClosed(), [], `after ${content.subarray(0, 40)}`);
}

/** Sends bytes on a new connection; gives everything the broker sends until it closes. */
export async function answerUntilClose(port: number, content: Uint8Array): Promise<Uint8Array> {
  using socket = await RawSocket.open(port);
  await socket.write(content);
  return await socket.readAll();
}

/** A socket without a decoder; what should come must come at once. */
export class RawSocket implements Disposable {
  readonly #socket: Deno.TcpConn;

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RawSocket> {
    return new RawSocket(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Opens and has an ordinary CONNECT accepted. */
  static async connect(port: number): Promise<RawSocket> {
    const socket = await RawSocket.open(port);
    await socket.write(rawConnect());
    assertEquals(await socket.read(4), hex("20 02 00 00"));
    return socket;
  }

  /** Writes all bytes. */
  async write(content: Uint8Array): Promise<void> {
    let written = 0;
    while (written < content.length) written += await this.#socket.write(content.subarray(written));
  }

  /** Reads this many bytes; fewer if the connection ends. */
  async read(count: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const more = await this.#readSome(buffer.subarray(filled));
      if (more === null) break;
      filled += more;
    }
    return buffer.subarray(0, filled);
  }

  /** Reads to the end of the connection. */
  async readAll(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = await this.read(4096);
      parts.push(part);
      if (part.length < 4096) return concatenate(parts);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#socket.close();
    } catch {
      // Closed for want of patience.
    }
  }

  async #readSome(target: Uint8Array): Promise<number | null> {
    const timer = setTimeout(() => this.#socket.close(), PATIENCE_MS);
    try {
      return await this.#socket.read(target);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The next packets of a client as they come, this many. */
export async function receiveMany(client: WireClient, count: number) {
  const packets = [];
  while (packets.length < count) packets.push(await client.receive());
  return packets;
}

/** Fails if the broker has anything for this client. */
export async function expectNothing(client: WireClient): Promise<void> {
  assertEquals(await client.drain(), []);
}
