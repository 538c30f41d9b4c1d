import type { Config } from "../config/mod.ts";

/** Runs the broker until it has shut down and resolves to the exit code. */
export type RunServer = (
  config: Config,
  io: Pick<CliIo, "err" | "log"> & {
    started?(addresses: readonly Deno.NetAddr[], admin: Deno.NetAddr | null): void;
    /** Reads the configuration anew: null where there is no file that can be read again. */
    readonly reread?: () => Promise<Config | { readonly problems: readonly string[] } | null>;
  },
) => Promise<number>;

/** Where a password comes from; `Deno.stdin` is one. */
export type PasswordSource = Pick<typeof Deno.stdin, "isTerminal" | "read" | "setRaw">;

/** What the command line writes to and starts, so that it can be run inside a test. */
export interface CliIo {
  /** Writes to standard output; the text brings its own line ends. */
  out(text: string): void;
  /** Writes to standard error; the text brings its own line ends. */
  err(text: string): void;
  /** Characters of a line of the terminal that standard output is; null if it is none. */
  width?(): number | null;
  /** Standard error for the log of a running broker, which waits for no reader; without it `err`. */
  readonly log?: { write(bytes: Uint8Array<ArrayBuffer>): Promise<number> };
  /** Runs the broker; without it `serve` loads the one in `src/server.ts`. */
  readonly runServer?: RunServer;
  /**
   * Writes bytes to standard output as they are; false when its reader has gone away. Without it they
   * go to `out` as text.
   */
  readonly write?: (bytes: Uint8Array) => boolean;
  /** Whether standard output is a terminal, which must not get what a client may have sent. */
  readonly isTerminal?: boolean;
  /** Standard input; without it the process's own. */
  readonly input?: PasswordSource;
}
