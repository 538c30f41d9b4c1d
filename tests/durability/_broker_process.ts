/** A broker in a process of its own, from its source, that can be killed. */
import deno from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
const COMMAND = deno.tasks.serve.split(" ").slice(1).map((word) =>
  word === "main.ts" ? `${ROOT}main.ts` : word
);
const STDERR_CHARACTERS = 8_000;
const LISTEN_LIMIT_MS = 20_000;

/** One process; whoever starts it ends it. */
export class BrokerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #listening = Promise.withResolvers<void>();
  readonly #outputEnded: Promise<unknown>;
  #stderr = "";
  #port = 0;
  #adminPort = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#listening.promise.catch(ignore);
    this.#outputEnded = Promise.all([this.#readBanner(), this.#collectStderr()]);
  }

  /** Starts a process, by way of `wrapper` if one is given; it need not listen yet. */
  static start(config: string, wrapper: readonly string[] = []): BrokerProcess {
    const [command, ...args] = [...wrapper, Deno.execPath(), ...COMMAND, "--config", config];
    const broker = new Deno.Command(command!, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return new BrokerProcess(broker.spawn());
  }

  /** How it has ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Where it listens first, as soon as that is known. */
  get port(): number {
    return this.#port;
  }

  /** Where its admin listener listens, as soon as `listening` has resolved; 0 without one. */
  get adminPort(): number {
    return this.#adminPort;
  }

  /** Warnings and errors of the log so far, the last of them. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when clients can connect; rejects if the broker ends before or takes too long. */
  async listening(): Promise<void> {
    const timer = setTimeout(
      () => this.#listening.reject(new Error("Cannot start broker: it takes too long")),
      LISTEN_LIMIT_MS,
    );
    try {
      await this.#listening.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it in the orderly way. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: Deno.Signal): Promise<void> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.#child.status;
    await this.#outputEnded;
  }

  async #readBanner(): Promise<void> {
    let banner = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      banner = (banner + text).slice(-STDERR_CHARACTERS);
      const port = /listens on\s+\S+:(\d+)\s/.exec(banner)?.[1];
      const admin = /\n {2}admin\s+(\S+)\s/.exec(banner)?.[1];
      if (port === undefined || admin === undefined || this.#port > 0) continue;
      this.#port = Number(port);
      this.#adminPort = URL.canParse(admin) ? Number(new URL(admin).port) : 0;
      this.#listening.resolve();
    }
    this.#listening.reject(new Error(`Cannot start broker: ${this.#stderr}`));
  }

  async #collectStderr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS);
    }
  }
}

function ignore(): void {}
