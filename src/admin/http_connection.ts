/** One connection to the admin listener: a request at a time, each within its bounds. */
import {
  BODY_BYTES_MAX,
  endOfHead,
  HEAD_BYTES_MAX,
  LARGE_BODY_BYTES_MAX,
  parseHead,
  type RequestHead,
} from "./http_head.ts";
import type { HttpPeer } from "./caller.ts";
import { problem, titleOf } from "./problem.ts";
import { StreamAnswer } from "./stream_answer.ts";

/** What HTTP is spoken over; of `Deno.TcpConn`. */
export interface HttpStream {
  read(target: Uint8Array): Promise<number | null>;
  write(source: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** How long things may take. */
export interface HttpTimes {
  /** From the first byte of a request, or the beginning of the connection, to its last byte. */
  readonly requestMs: number;
  /** Until a connection that has been of use is closed. */
  readonly idleMs: number;
  /** Until the client has taken an answer. */
  readonly answerMs: number;
}

/** A request and what `Request` does not tell of it. */
export interface HttpExchange {
  readonly request: Request;
  /**
   * Path and query as the client wrote them. The URL of a `Request` has lost what was written: it
   * takes a name that is "%2e%2e" for the way up.
   */
  readonly target: string;
  readonly peer: HttpPeer;
}

/** What a connection needs of the server. */
export interface HttpSurroundings {
  readonly times: HttpTimes;
  readonly peer: HttpPeer;
  readonly answer: (exchange: HttpExchange) => Promise<Response>;
  /** Most bytes that the body of a request may have, which is still to come. */
  readonly bodyBytesMax: (announced: HttpExchange) => number;
  readonly answered: (status: number) => void;
  readonly timedOut: () => void;
}

const BUFFER_BYTES_MIN = 1_024;
const BUFFER_BYTES_MAX = HEAD_BYTES_MAX + LARGE_BODY_BYTES_MAX;
/** A connection keeps no more between two requests. */
const BUFFER_BYTES_KEPT = 65_536;
/** How long the client may take to see our last bytes before the socket goes. */
const LINGER_MS = 1_000;
/** Between two requests of one connection the broker has its turns. */
const PAUSE_MS = 1;
/** Of a stream written at a time, so that its reader's progress shows. */
const PIECE_BYTES_MAX = 16_384;
const encoder = new TextEncoder();

/** Serves one connection. */
export class HttpConnection {
  readonly #stream: HttpStream;
  readonly #surroundings: HttpSurroundings;
  #buffer = new Uint8Array(BUFFER_BYTES_MIN);
  #filled = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Since when it waits for a whole request; null while one is answered. */
  waitsSinceMs: number | null = performance.now();

  constructor(stream: HttpStream, surroundings: HttpSurroundings) {
    this.#stream = stream;
    this.#surroundings = surroundings;
  }

  /** Answers until the connection has ended. Never rejects. */
  async run(): Promise<void> {
    try {
      const { requestMs, idleMs } = this.#surroundings.times;
      this.#limit(requestMs);
      while (await this.#exchange()) {
        this.waitsSinceMs = performance.now();
        this.#limit(this.#filled === 0 ? idleMs : requestMs);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      await this.#linger();
    } catch {
      // The client is gone, or took too long.
    } finally {
      this.close();
    }
  }

  /** Ends the connection, whatever it is doing. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close();
  }

  /** Answers one request; gives whether another one may follow. */
  async #exchange(): Promise<boolean> {
    const { times, answered } = this.#surroundings;
    const read = await this.#readRequest();
    if (read === null) return false;
    this.waitsSinceMs = null;
    // The client has said all; how long the broker takes is no fault of its.
    clearTimeout(this.#timer);
    const { head } = read;
    const response = await this.#answer(read);
    if (response instanceof StreamAnswer) return await this.#sendStream(response, head!);
    const keepAlive = head?.keepAlive ?? false;
    const body = new Uint8Array(await response.arrayBuffer());
    answered(response.status);
    this.#limit(times.answerMs);
    const start = encoder.encode(headOf(response, bodyLines(response.status, body), keepAlive));
    await this.#write(head?.method === "HEAD" ? start : joined(start, body));
    return keepAlive;
  }

  async #answer(
    { head, refusal, body }: {
      head: RequestHead | null;
      refusal: Response | null;
      body: Uint8Array;
    },
  ): Promise<Response> {
    if (head === null) return refusal!;
    const exchange = this.#exchangeOf(head, body);
    return exchange === null
      ? problem(400, "Host is no host")
      : await this.#surroundings.answer(exchange);
  }

  #exchangeOf(head: RequestHead, body: Uint8Array): HttpExchange | null {
    const { peer } = this.#surroundings;
    const url = `${peer.isSecure ? "https" : "http"}://${head.host}${head.target}`;
    if (!URL.canParse(url)) return null;
    const request = new Request(url, {
      method: head.method,
      headers: head.headers.map(([name, value]): [string, string] => [name, value]),
      ...(body.length === 0 ? {} : { body: body.slice() }),
    });
    return { request, target: head.target, peer };
  }

  /** Whether so long a body is read at all. */
  #admits(head: RequestHead): boolean {
    if (head.bodyBytes <= BODY_BYTES_MAX) return true;
    const announced = this.#exchangeOf(head, new Uint8Array(0));
    return announced !== null && head.bodyBytes <= this.#surroundings.bodyBytesMax(announced);
  }

  /**
   * Sends what comes for as long as it comes. Between two pieces nothing has to happen in any time;
   * of a piece the client has to take something now and then. The connection ends with it.
   */
  async #sendStream(
    { status, headers, source }: StreamAnswer,
    head: RequestHead,
  ): Promise<false> {
    try {
      this.#surroundings.answered(status);
      const body = head.isOld ? "" : "transfer-encoding: chunked\r\n";
      await this.#writeInTime(encoder.encode(headOf({ status, headers }, body, false)));
      if (head.method === "HEAD") return false;
      void this.#anything().then(() => source.cancel());
      for (let piece = await source.next(); piece !== null; piece = await source.next()) {
        await this.#writeInTime(head.isOld ? piece : chunkOf(piece));
      }
      if (!head.isOld) await this.#writeInTime(encoder.encode("0\r\n\r\n"));
      return false;
    } finally {
      source.cancel();
    }
  }

  /** Resolves when the client is gone, or says something in the midst of its answer. */
  async #anything(): Promise<void> {
    try {
      if (this.#filled === 0) await this.#stream.read(new Uint8Array(1));
    } catch {
      // It is gone.
    }
  }

  /** Writes, and waits for ever as long as some of it is taken now and then. */
  async #writeInTime(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      this.#limit(this.#surroundings.times.answerMs);
      at += await this.#stream.write(bytes.subarray(at, at + PIECE_BYTES_MAX));
    }
    clearTimeout(this.#timer);
  }

  /** Gives null where the client sends no more, and no head where what it sends is none. */
  async #readRequest() {
    const none = new Uint8Array(0);
    let searched = 0;
    let end = -1;
    while (end < 0) {
      end = endOfHead(this.#buffer.subarray(0, this.#filled), Math.max(0, searched - 3));
      searched = this.#filled;
      if (end > HEAD_BYTES_MAX || (end < 0 && searched >= HEAD_BYTES_MAX)) {
        return { head: null, refusal: problem(431, "the head is too long"), body: none };
      }
      if (end < 0 && !await this.#fill()) return null;
    }
    const head = parseHead(this.#buffer.subarray(0, end));
    if ("status" in head) {
      return { head: null, refusal: problem(head.status, head.detail), body: none };
    }
    if (!this.#admits(head)) {
      const refusal = problem(413, `a body has at most ${BODY_BYTES_MAX} bytes here`);
      return { head: null, refusal, body: none };
    }
    const whole = end + head.bodyBytes;
    while (this.#filled < whole) if (!await this.#fill()) return null;
    const body = this.#buffer.slice(end, whole);
    this.#buffer.copyWithin(0, whole, this.#filled);
    this.#filled -= whole;
    if (this.#buffer.length > BUFFER_BYTES_KEPT && this.#filled <= BUFFER_BYTES_KEPT) {
      this.#buffer = this.#buffer.slice(0, BUFFER_BYTES_KEPT);
    }
    return { head, refusal: null, body };
  }

  /** Reads more; gives false at the end of the connection. */
  async #fill(): Promise<boolean> {
    if (this.#filled === this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#buffer.length * 2, BUFFER_BYTES_MAX));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const count = await this.#stream.read(this.#buffer.subarray(this.#filled));
    if (count === null) return false;
    // Of a connection that was idle: a request has begun.
    if (this.#filled === 0) this.#limit(this.#surroundings.times.requestMs);
    this.#filled += count;
    return true;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#stream.write(bytes.subarray(at));
  }

  /** Reads what still comes, since a socket that is closed on unread bytes takes the answer back. */
  async #linger(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), LINGER_MS);
    await this.#stream.closeWrite();
    while (await this.#stream.read(this.#buffer) !== null);
  }

  /** What goes on now has to be over in so long. */
  #limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#surroundings.timedOut();
      this.close();
    }, ms);
  }
}

/** In one piece: the system would keep a second one until the client has acknowledged the first. */
function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return all;
}

function chunkOf(piece: Uint8Array): Uint8Array {
  const end = encoder.encode("\r\n");
  return joined(encoder.encode(`${piece.length.toString(16)}\r\n`), joined(piece, end));
}

/** How long the body is; an answer without content has none, and says no length. */
function bodyLines(status: number, { length }: Uint8Array): string {
  return status === 204 || status === 304 ? "" : `content-length: ${length}\r\n`;
}

function headOf(
  { status, headers }: Pick<Response, "status" | "headers">,
  body: string,
  keepAlive: boolean,
): string {
  let text = `HTTP/1.1 ${status} ${titleOf(status)}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  text += `date: ${new Date().toUTCString()}\r\n${body}`;
  return `${text}connection: ${keepAlive ? "keep-alive" : "close"}\r\n\r\n`;
}
