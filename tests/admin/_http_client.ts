/** HTTP over a plain socket, so that a test says every byte. */
import { TestBroker } from "../support/test_broker.ts";

const decoder = new TextDecoder();
const latin1 = {
  decode: (bytes: Uint8Array): string => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  },
};
const encoder = new TextEncoder();

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A client that sends what it is told to. */
export class HttpClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  /** One character for each byte: lengths count bytes. */
  #rest = "";
  #closed = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects. */
  static async connect(port: number): Promise<HttpClient> {
    return new HttpClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends text as it is. */
  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** The next answer; null at the end of the connection. `toHead`: it has no body. */
  async answer({ toHead = false } = {}): Promise<Answer | null> {
    while (!this.#rest.includes("\r\n\r\n")) if (!await this.#read()) return null;
    const end = this.#rest.indexOf("\r\n\r\n") + 4;
    const [status = "", ...lines] = this.#rest.slice(0, end - 4).split("\r\n");
    const headers = new Map(lines.map((line): [string, string] => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }));
    const length = toHead ? 0 : Number(headers.get("content-length") ?? 0);
    while (this.#rest.length < end + length) if (!await this.#read()) return null;
    const bytes = Uint8Array.from(this.#rest.slice(end, end + length), (c) => c.charCodeAt(0));
    const body = decoder.decode(bytes);
    this.#rest = this.#rest.slice(end + length);
    return { status: Number(status.split(" ")[1]), headers, body };
  }

  /** Waits until the other end has closed; fails if it says anything. */
  async ended(): Promise<void> {
    if (await this.#read()) throw new Error(`Cannot see end: ${this.#rest}`);
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#connection.close();
    this.#closed = true;
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#connection.read(buffer).catch(() => null);
    if (count === null) return false;
    this.#rest += latin1.decode(buffer.subarray(0, count));
    return true;
  }
}

/** A broker with an admin listener. */
export function adminBroker(
  changes: Parameters<typeof TestBroker.start>[0] = {},
  options: Parameters<typeof TestBroker.start>[1] = {},
): Promise<TestBroker> {
  const admin = { address: "127.0.0.1:0", ...changes.admin };
  return TestBroker.start({ ...changes, admin }, options);
}

/** One request to a broker's admin listener. */
export async function ask(
  broker: TestBroker,
  path: string,
  { method = "GET", headers = {}, body = "" }: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
  } = {},
): Promise<Answer> {
  using client = await HttpClient.connect(broker.server.adminAddress!.port);
  const length = encoder.encode(body).length;
  const fields = {
    Host: "127.0.0.1",
    Connection: "close",
    ...length === 0 ? {} : { "Content-Length": String(length) },
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  await client.send(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  const answer = await client.answer({ toHead: method === "HEAD" });
  if (answer === null) throw new Error(`Cannot get ${path}: the connection ended`);
  return answer;
}

/** Values of a page of metrics, by name with labels. */
export function valuesOf(page: string): Map<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const blank = line.lastIndexOf(" ");
    return [line.slice(0, blank), Number(line.slice(blank + 1).replace("Inf", "Infinity"))];
  }));
}
