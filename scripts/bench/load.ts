/** The parent's end of a load process. */

import { endChild, startChild } from "./children.ts";
import { before } from "./link.ts";
import type { Answer, Command } from "./link.ts";
import { epochNowMs } from "./clock.ts";
import type {
  FloodSpec,
  GuessSpec,
  IdleSpec,
  PacedSpec,
  SlowSpec,
  StormSpec,
  SubscriberSpec,
  WindowedSpec,
} from "./roles.ts";

/** The spec of each role. */
export interface RoleSpecs {
  subscriber: SubscriberSpec;
  flood: FloodSpec;
  windowed: WindowedSpec;
  paced: PacedSpec;
  idle: IdleSpec;
  storm: StormSpec;
  slow: SlowSpec;
  guess: GuessSpec;
}

const ANSWER_LIMIT_MS = 60_000;
const WORKER = new URL("./worker.ts", import.meta.url).pathname;
const encoder = new TextEncoder();

/** One load process. Whoever starts it ends it, in a `finally`. */
export class Load {
  readonly #child: Deno.ChildProcess;
  readonly #role: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #ready = Promise.withResolvers<unknown>();
  readonly #done = Promise.withResolvers<unknown>();
  readonly #failed = Promise.withResolvers<never>();

  private constructor(role: string, child: Deno.ChildProcess) {
    this.#role = role;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    // Nobody may be waiting for it; whoever waits for an answer hears of it all the same.
    this.#failed.promise.catch(ignore);
    this.#listen();
  }

  /** Starts a process in one of the roles; it connects at once and then answers "ready". */
  static start<R extends keyof RoleSpecs>(role: R, spec: RoleSpecs[R]): Load {
    const command = [Deno.execPath(), "run", "-A", "--no-lock", WORKER, role, JSON.stringify(spec)];
    const child = startChild(command, { stdin: "piped", stdout: "piped", stderr: "inherit" });
    return new Load(role, child);
  }

  /** The process, to read its CPU time. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a command. */
  async send(command: Command): Promise<void> {
    await this.#input.write(encoder.encode(JSON.stringify(command) + "\n"));
  }

  /** Waits for "ready" or "done" and gives what came with it; rejects as soon as the process fails. */
  async answer<T>(kind: "ready" | "done"): Promise<T> {
    const awaited = kind === "ready" ? this.#ready.promise : this.#done.promise;
    const result = await before(epochNowMs() + ANSWER_LIMIT_MS, {
      of: this.unlessFailed(awaited),
      name: `the ${this.#role} process ("${kind}")`,
    });
    return result as T;
  }

  /** Waits for `work`, but no longer than this process is well. */
  unlessFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed.promise]);
  }

  /** Ends the process, however far it is. */
  async end(): Promise<void> {
    await endChild(this.#child);
    await this.#input.abort().catch(ignore);
  }

  async #listen(): Promise<void> {
    let pending = "";
    try {
      for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
        const lines = (pending + text).split("\n");
        pending = lines.pop() ?? "";
        for (const line of lines) this.#accept(JSON.parse(line) as Answer);
      }
      throw new Error("the process ended");
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#failed.reject(new Error(`Cannot load as ${this.#role}: ${message}`));
    }
  }

  #accept(answer: Answer): void {
    if (answer.answer === "failed") throw new Error(answer.message);
    (answer.answer === "ready" ? this.#ready : this.#done).resolve(answer.result);
  }
}

function ignore(): void {}
