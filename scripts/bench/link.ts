/** The worker's end of the control channel: commands on stdin, answers on stdout, a line of JSON each. */

import { epochNowMs } from "./clock.ts";

/** What the parent may tell a worker. Times are in milliseconds since the epoch. */
export type Command =
  | { command: "go"; windowStartMs: number; windowEndMs: number }
  | { command: "drain"; expected: number; silenceMs: number; limitMs: number }
  | { command: "stop" };

/** What a worker answers. */
export type Answer =
  | { answer: "ready"; result: unknown }
  | { answer: "done"; result: unknown }
  | { answer: "failed"; message: string };

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Commands come in the order they were sent; when the parent is gone the worker exits at once. */
export class ControlLink {
  readonly #waiting: ((command: Command) => void)[] = [];
  readonly #arrived: Command[] = [];

  constructor() {
    this.#listen();
  }

  /** Says that the measurement can begin. */
  ready(result: unknown): void {
    answer({ answer: "ready", result });
  }

  /** Hands over the figures. */
  done(result: unknown): void {
    answer({ answer: "done", result });
  }

  /** Reports a failure and ends the process. */
  fail(error: unknown): never {
    const message = error instanceof Error ? error.message : String(error);
    answer({ answer: "failed", message });
    Deno.exit(1);
  }

  /** The next command, which must be of this kind. */
  async expect<K extends Command["command"]>(kind: K): Promise<Extract<Command, { command: K }>> {
    const command = await this.#next();
    if (command.command !== kind) {
      throw new Error(`Cannot go on: expected "${kind}", got "${command.command}"`);
    }
    return command as Extract<Command, { command: K }>;
  }

  #next(): Promise<Command> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    const waiting = this.#waiting;
    return new Promise(function enqueue(resolve): void {
      waiting.push(resolve);
    });
  }

  async #listen(): Promise<void> {
    let pending = "";
    const buffer = new Uint8Array(4096);
    for (;;) {
      const count = await Deno.stdin.read(buffer);
      if (count === null) Deno.exit(3);
      pending += decoder.decode(buffer.subarray(0, count), { stream: true });
      const lines = pending.split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) this.#accept(JSON.parse(line) as Command);
    }
  }

  #accept(command: Command): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#arrived.push(command);
    else waiter(command);
  }
}

function answer(message: Answer): void {
  const bytes = encoder.encode(JSON.stringify(message) + "\n");
  let written = 0;
  while (written < bytes.length) written += Deno.stdout.writeSync(bytes.subarray(written));
}

/** Rejects when `work` takes longer than until `limitMs` of the shared clock. */
export async function before<T>(
  limitMs: number,
  work: { of: Promise<T>; name: string },
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>(function arm(_resolve, reject): void {
    timer = setTimeout(function expire(): void {
      reject(new Error(`Cannot finish: ${work.name} took too long`));
    }, limitMs - epochNowMs());
  });
  try {
    return await Promise.race([work.of, late]);
  } finally {
    clearTimeout(timer);
  }
}
