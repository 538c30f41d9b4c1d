/** `relayq serve` as a process of its own, as its supervisor starts it. */
import { parse, stringify } from "@std/toml";
import deno from "../../deno.json" with { type: "json" };
import { eventually } from "./waiting.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SERVE = deno.tasks.serve.split(" ").slice(1).map((word) =>
  word === "main.ts" ? `${ROOT}main.ts` : word
);

/** How a broker is started. */
export interface ServeOptions {
  /** Holds its configuration and its data. */
  readonly directory: string;
  /** Tables besides listeners and store. */
  readonly toml?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A shell script that ends with `exec "$0" "$@"`. */
  readonly script?: string;
  /** Whether nobody reads its standard error. */
  readonly deaf?: boolean;
}

/** One process; whoever starts it ends it, and `await using` does so with SIGKILL. */
export class ServedBroker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly #deaf: boolean;
  out = "";
  err = "";

  private constructor(child: Deno.ChildProcess, deaf: boolean) {
    this.#child = child;
    this.#deaf = deaf;
    const reads = [this.#read(child.stdout, (text) => this.out += text)];
    if (!deaf) reads.push(this.#read(child.stderr, (text) => this.err += text));
    this.#reading = Promise.all(reads);
  }

  /** Starts it; it need not listen yet. */
  static start(options: ServeOptions): ServedBroker {
    const { directory, toml = "", env = {}, script = 'exec "$0" "$@"', deaf = false } = options;
    const path = `${directory}/relayq.toml`;
    const tables = parse(toml) as Record<string, Record<string, unknown>>;
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      ...tables,
      store: { data_dir: `${directory}/data`, ...tables.store },
    };
    Deno.writeTextFileSync(path, stringify(config));
    const child = new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath(), ...SERVE, "--config", path],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new ServedBroker(child, deaf);
  }

  /** The same, when it listens. */
  static async serve(options: ServeOptions): Promise<ServedBroker> {
    const broker = ServedBroker.start(options);
    await eventually("a broker", () => broker.port > 0);
    return broker;
  }

  /** 0 until it listens. */
  get port(): number {
    return Number(/listens on\s+\S+:(\d+)\s/.exec(this.out)?.[1] ?? 0);
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  }

  /** Resolves when it has ended and all it said is read. */
  async ended(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    if (this.#deaf) await this.#child.stderr.cancel();
    await this.#reading;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended().catch(() => {});
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    take: (text: string) => void,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
  }
}
