/**
 * The rig's own stand-in for a broker: it copies byte ranges from publishers to subscribers and
 * acknowledges, with no sessions, no routing and no checks. What it reaches is the ceiling of the
 * load generator on this machine. `mirror.ts PORT`.
 */

import { closeQuietly, writeAll } from "../../src/client/mod.ts";
import { PAYLOAD_BYTES, PINGRESP } from "./packets.ts";
import { HOST } from "./wire.ts";

const BUFFER_BYTES = 262_144;
const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const decoder = new TextDecoder();

/** The connections that asked for a topic. */
const subscribers = new Map<string, Peer[]>();

class Peer {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #replies = new Uint8Array(BUFFER_BYTES);
  #end = 0;
  #replyBytes = 0;
  #targets: readonly Peer[] = [];
  #topicKnown = false;
  #writing: Promise<void> | undefined;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        const count = await this.#conn.read(this.#buffer.subarray(this.#end));
        if (count === null) break;
        this.#end += count;
        await this.#turn();
      }
    } catch {
      // A client that goes away is no fault of the mirror.
    }
    closeQuietly(this.#conn);
  }

  /** Behind what is already on its way: two partial writes must not mix. */
  async send(bytes: Uint8Array): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    const writing = writeAll(this.#conn, bytes).catch(ignore);
    this.#writing = writing;
    await writing;
    this.#writing = undefined;
  }

  async #turn(): Promise<void> {
    const buffer = this.#buffer;
    let at = 0;
    let rangeStart = 0;
    while (at + 2 <= this.#end) {
      const first = buffer[at] ?? 0;
      const start = at + ((buffer[at + 1] ?? 0) < 128 ? 2 : 3);
      const end = start + this.#lengthAt(at + 1);
      if (end > this.#end) break;
      if (first >> 4 === 3) {
        if (!this.#topicKnown) this.#lookUp(start);
        if (first > 0x31) this.#reply(first < 0x34 ? 0x40 : 0x50, end - PAYLOAD_BYTES - 2);
      } else {
        if (at > rangeStart) await this.#forward(rangeStart, at);
        rangeStart = end;
        this.#control(first, { start, end });
      }
      at = end;
    }
    if (at > rangeStart) await this.#forward(rangeStart, at);
    if (this.#replyBytes > 0) await this.send(this.#replies.subarray(0, this.#replyBytes));
    this.#replyBytes = 0;
    buffer.copyWithin(0, at, this.#end);
    this.#end -= at;
  }

  #control(first: number, body: { start: number; end: number }): void {
    if (first === 0x10) this.#replyAll(CONNACK);
    else if (first === 0x82) this.#subscribe(body);
    else if (first === 0xc0) this.#replyAll(PINGRESP);
    else if (first === 0x50) this.#reply(0x62, body.start);
    else if (first === 0x62) this.#reply(0x70, body.start);
  }

  async #forward(start: number, end: number): Promise<void> {
    const range = this.#buffer.subarray(start, end);
    if (this.#targets.length === 1) await this.#targets[0]?.send(range);
    else await Promise.all(this.#targets.map((target) => target.send(range)));
  }

  #lookUp(start: number): void {
    this.#targets = subscribers.get(this.#text(start)) ?? [];
    this.#topicKnown = true;
  }

  #subscribe(body: { start: number; end: number }): void {
    const qos = this.#buffer[body.end - 1] ?? 0;
    const topic = this.#text(body.start + 2);
    subscribers.set(topic, [...subscribers.get(topic) ?? [], this]);
    const id = this.#buffer.subarray(body.start, body.start + 2);
    this.#replyAll(Uint8Array.of(0x90, 3, id[0] ?? 0, id[1] ?? 0, qos));
  }

  #text(start: number): string {
    const length = ((this.#buffer[start] ?? 0) << 8) | (this.#buffer[start + 1] ?? 0);
    return decoder.decode(this.#buffer.subarray(start + 2, start + 2 + length));
  }

  /** Two length bytes are enough for all that the rig sends; a missing second one reads as too long. */
  #lengthAt(at: number): number {
    const low = this.#buffer[at] ?? 0;
    if (low < 128) return low;
    if (at + 1 >= this.#end) return Infinity;
    return (low & 127) + ((this.#buffer[at + 1] ?? 0) << 7);
  }

  #reply(type: number, idAt: number): void {
    const at = this.#replyBytes;
    this.#replies[at] = type;
    this.#replies[at + 1] = 2;
    this.#replies[at + 2] = this.#buffer[idAt] ?? 0;
    this.#replies[at + 3] = this.#buffer[idAt + 1] ?? 0;
    this.#replyBytes = at + 4;
  }

  #replyAll(bytes: Uint8Array): void {
    this.#replies.set(bytes, this.#replyBytes);
    this.#replyBytes += bytes.length;
  }
}

function ignore(): void {}

const listener = Deno.listen({ hostname: HOST, port: Number(Deno.args[0]) });
for (;;) {
  try {
    const conn = await listener.accept();
    conn.setNoDelay(true);
    new Peer(conn).run();
  } catch {
    // A client that resets before it is accepted must not end the mirror.
  }
}
