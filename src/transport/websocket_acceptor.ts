/** Turns connections into WebSockets: the opening handshake, within bounds. */
import type { ByteStream } from "./byte_stream.ts";
import { WebSocketStream } from "./websocket_stream.ts";
import {
  judgeUpgrade,
  refuseTooLong,
  REQUEST_BYTES_MAX,
  requestEnd,
  type UpgradeRules,
} from "./websocket_upgrade.ts";

/** How a listener speaks WebSocket. */
export interface WebSocketSettings extends UpgradeRules {
  /** A request that is not complete within this time is ended. */
  readonly handshakeTimeoutMs: number;
  /** Most requests at a time; beyond it one that has taken a second goes, or else the new one. */
  readonly handshakesMax: number;
  /** Resolves when every socket has had its chance. */
  readonly pause: () => Promise<void>;
}

/** How an opening handshake ends; exactly one of the two is called. */
export interface WebSocketOutcome {
  readonly established: (stream: WebSocketStream) => void;
  readonly refused: (reason: string) => void;
}

/** A handshake that goes on. */
interface Handshake {
  readonly stream: ByteStream;
  readonly startedMs: number;
  /** Why it was ended by us; null as long as it was not. */
  ended: string | null;
}

/** A handshake that has gone on for this long may be given up for a new one. */
const HANDSHAKE_OLD_MS = 1_000;
const CROWDED = "too many handshakes at a time";
/** How long the answer to a refused request may take. */
const ANSWER_MS = 1_000;

/** The WebSocket side of one listener. */
export class WebSocketAcceptor {
  readonly #settings: WebSocketSettings;
  /** In the order of their beginnings. */
  readonly #handshakes = new Set<Handshake>();

  constructor(settings: WebSocketSettings) {
    this.#settings = settings;
  }

  /** Speaks HTTP on a connection until it is a WebSocket; one that does not become one is closed. */
  accept(stream: ByteStream, outcome: WebSocketOutcome): void {
    const handshake: Handshake = { stream, startedMs: performance.now(), ended: null };
    const { handshakesMax, handshakeTimeoutMs } = this.#settings;
    this.#handshakes.add(handshake);
    if (this.#handshakes.size > handshakesMax) this.#end(this.#expendable(handshake), CROWDED);
    const timer = setTimeout(() => this.#end(handshake, "no request in time"), handshakeTimeoutMs);
    void this.#shake(handshake).then((done) => {
      clearTimeout(timer);
      this.#handshakes.delete(handshake);
      if (typeof done === "string") this.#end(handshake, done);
      if (typeof done === "string" || handshake.ended !== null) outcome.refused(handshake.ended!);
      else outcome.established(done);
    });
  }

  /** Ends the handshakes that go on. */
  close(): void {
    for (const handshake of this.#handshakes) this.#end(handshake, "listener closes");
  }

  /** Which one goes where there are too many. */
  #expendable(newest: Handshake): Handshake {
    const [oldest] = this.#handshakes;
    const isOld = newest.startedMs - oldest!.startedMs >= HANDSHAKE_OLD_MS;
    return isOld ? oldest! : newest;
  }

  #end(handshake: Handshake, reason: string): void {
    this.#handshakes.delete(handshake);
    if (handshake.ended !== null) return;
    handshake.ended = reason;
    handshake.stream.close();
  }

  /** Gives the WebSocket, or why there is none. */
  async #shake(handshake: Handshake): Promise<WebSocketStream | string> {
    const { stream } = handshake;
    try {
      const request = await readHead(stream);
      if (request === null) return "connection ended before its request did";
      const { head, rest } = request;
      const verdict = head === null ? refuseTooLong() : judgeUpgrade(head, this.#settings);
      await writeAll(stream, verdict.response);
      if (verdict.kind === "accept") {
        return new WebSocketStream(stream, { early: rest, pause: this.#settings.pause });
      }
      await answered(stream);
      return verdict.reason;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** The head of a request and what came behind it; `head` is null where it is too long. */
async function readHead(
  stream: ByteStream,
): Promise<{ head: Uint8Array | null; rest: Uint8Array } | null> {
  const bytes = new Uint8Array(REQUEST_BYTES_MAX);
  for (let filled = 0; filled < bytes.length;) {
    const count = await stream.read(bytes.subarray(filled));
    if (count === null) return null;
    const end = requestEnd(bytes.subarray(0, filled + count), filled);
    filled += count;
    if (end > 0) return { head: bytes.subarray(0, end), rest: bytes.slice(end, filled) };
  }
  return { head: null, rest: new Uint8Array(0) };
}

async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await stream.write(bytes.subarray(written));
  }
}

/** Lets the peer take the answer before the connection goes: unread bytes would reset it. */
async function answered(stream: ByteStream): Promise<void> {
  await stream.closeWrite();
  const timer = setTimeout(() => stream.close(), ANSWER_MS);
  const sink = new Uint8Array(1_024);
  try {
    while (await stream.read(sink) !== null);
  } catch {
    // Closed by the timer, or by the peer.
  }
  clearTimeout(timer);
}
