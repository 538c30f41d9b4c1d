/**
 * A service manager as the broker sees it: a real datagram socket, in a process of its own, because
 * the tests may open none.
 */
import { eventually } from "./waiting.ts";

const COLLECT = `
const socket = Deno.listenDatagram({ transport: "unixpacket", path: JSON.parse(Deno.args[0]) });
console.log("bound");
for await (const [bytes] of socket) {
  console.log(JSON.stringify(new TextDecoder().decode(bytes)));
}`;

/** One message. */
export interface Notified {
  readonly atMs: number;
  /** Its assignments, one in a line. */
  readonly text: string;
}

/** Collects what is sent to it. */
export class NotifySocket implements AsyncDisposable {
  /** What NOTIFY_SOCKET has to be. */
  readonly address: string;
  readonly messages: Notified[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<void>;
  #bound = false;

  private constructor(address: string) {
    this.address = address;
    const path = address.replace(/^@/, "\0");
    const args = ["eval", "--unstable-net", COLLECT, JSON.stringify(path)];
    this.#child = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#ended = this.#read();
  }

  /** Binds an address: a path, or "@" and the name of an abstract socket. */
  static async bind(address: string): Promise<NotifySocket> {
    const socket = new NotifySocket(address);
    await eventually("a socket", () => socket.#bound);
    return socket;
  }

  /** How many messages hold this assignment. */
  count(assignment: string): number {
    return this.messages.filter(({ text }) => text.split("\n").includes(assignment)).length;
  }

  /** Resolves to the first message that matches. */
  async message(pattern: RegExp): Promise<Notified> {
    const find = () => this.messages.find(({ text }) => pattern.test(text));
    await eventually(`a message like ${pattern}`, () => find() !== undefined);
    return find()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#ended;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "bound") this.#bound = true;
        else this.messages.push({ atMs: performance.now(), text: JSON.parse(line) });
      }
    }
  }
}
