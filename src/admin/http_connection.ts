/** One connection to the admin listener: a request at a time, each within its bounds. */
import {
  BODY_BYTES_MAX,
  endOfHead,
  HEAD_BYTES_MAX,
  parseHead,
  type RequestHead,
} from "./http_head.ts";
import { problem, titleOf } from "./problem.ts";

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

/** What a connection needs of the server. */
export interface HttpSurroundings {
  readonly times: HttpTimes;
  readonly answer: (request: Request) => Promise<Response>;
  readonly answered: (status: number) => void;
  readonly timedOut: () => void;
}

const BUFFER_BYTES_MIN = 1_024;
const BUFFER_BYTES_MAX = HEAD_BYTES_MAX + BODY_BYTES_MAX;
/** How long the client may take to see our last bytes before the socket goes. */
const LINGER_MS = 1_000;
/** Between two requests of one connection the broker has its turns. */
const PAUSE_MS = 1;
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
    const { head } = read;
    const response = await this.#answer(read);
    const keepAlive = head?.keepAlive ?? false;
    const body = new Uint8Array(await response.arrayBuffer());
    answered(response.status);
    this.#limit(times.answerMs);
    const start = encoder.encode(headOf(response, { length: body.length, keepAlive }));
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
    const url = `http://${head.host}${head.target}`;
    if (!URL.canParse(url)) return problem(400, "Host is no host");
    return await this.#surroundings.answer(
      new Request(url, {
        method: head.method,
        headers: head.headers.map(([name, value]): [string, string] => [name, value]),
        ...(body.length === 0 ? {} : { body: body.slice() }),
      }),
    );
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
    const whole = end + head.bodyBytes;
    while (this.#filled < whole) if (!await this.#fill()) return null;
    const body = this.#buffer.slice(end, whole);
    this.#buffer.copyWithin(0, whole, this.#filled);
    this.#filled -= whole;
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

function headOf(
  { status, headers }: Response,
  { length, keepAlive }: { length: number; keepAlive: boolean },
): string {
  let text = `HTTP/1.1 ${status} ${titleOf(status)}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  text += `date: ${new Date().toUTCString()}\r\ncontent-length: ${length}\r\n`;
  return `${text}connection: ${keepAlive ? "keep-alive" : "close"}\r\n\r\n`;
}
