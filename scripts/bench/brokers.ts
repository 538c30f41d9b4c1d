/** Starting and ending the brokers under test. */

import { closeQuietly, writeAll } from "../../src/client/mod.ts";
import deno from "../../deno.json" with { type: "json" };
import { endChild, startChild } from "./children.ts";
import { blockUntil, epochNowMs } from "./clock.ts";
import { mosquittoConfig, type Profile, relayqConfig } from "./configs.ts";
import { type GuardFiles, type Guards, makeGuards, targetOf } from "./guards.ts";
import { DISCONNECT } from "./packets.ts";
import { HOST, openClient, type Target } from "./wire.ts";

/** The brokers the rig knows; `mirror` is the rig's own, which only shows the generator's ceiling. */
export type BrokerKind = "relayq" | "mosquitto" | "mirror";

/** How to start them. */
export interface BrokerCommands {
  relayq: readonly string[];
  mosquitto: string;
  /** TOML to append to RelayQ's configuration. */
  relayqToml: string;
}

const directories = new Set<string>();
const START_LIMIT_MS = 20_000;
const POLL_MS = 1;
const STDERR_CHARACTERS = 4_000;
const ROOT = new URL("../..", import.meta.url).pathname;
const MIRROR = new URL("./mirror.ts", import.meta.url).pathname;

/** The command that runs RelayQ from its source: the task `serve`, with a configuration. */
export const RELAYQ_FROM_SOURCE: readonly string[] = [
  ...deno.tasks.serve.split(" ").map(absolute),
  "--config",
  "{config}",
];

/** The words of the task stand for this repository's files, wherever the broker is started. */
function absolute(word: string): string {
  if (word === "deno") return Deno.execPath();
  return word === "main.ts" ? `${ROOT}main.ts` : word;
}

/** A running broker in a directory of its own. */
export class Broker {
  readonly #child: Deno.ChildProcess;
  readonly #directory: string;
  readonly #commands: BrokerCommands;
  #stderr = "";
  #ended = false;

  private constructor(
    readonly kind: BrokerKind,
    /** What a client needs to come in. */
    readonly target: Target,
    process: { child: Deno.ChildProcess; directory: string; commands: BrokerCommands },
  ) {
    this.#commands = process.commands;
    this.#child = process.child;
    this.#directory = process.directory;
    this.#child.status.then(() => this.#ended = true);
    this.#collectStderr();
  }

  /** From the start of the process to the first CONNACK, in milliseconds. */
  connackMs = NaN;

  /** Starts a fresh process on a free port and waits for its first CONNACK. */
  static async start(
    kind: BrokerKind,
    how: { commands: BrokerCommands; profile: Profile; guards?: Guards },
  ): Promise<Broker> {
    const { guards = {} } = how;
    const port = freePort();
    const directory = await Deno.makeTempDir({ prefix: "relayq-bench-" });
    directories.add(directory);
    const files = await makeGuards(guards, directory);
    const target = await targetOf(port, { guards, files });
    const command = await prepare(kind, { ...how, guards: files, port, directory });
    const startMs = epochNowMs();
    const child = startChild(command, {
      cwd: directory,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    const broker = new Broker(kind, target, { child, directory, commands: how.commands });
    try {
      await broker.#firstConnack(startMs + START_LIMIT_MS);
    } catch (error) {
      await broker.end();
      throw error;
    }
    broker.connackMs = epochNowMs() - startMs;
    return broker;
  }

  /** Starts one more of the same kind; whoever starts it ends it. */
  another(profile: Profile): Promise<Broker> {
    return Broker.start(this.kind, { commands: this.#commands, profile });
  }

  /** The broker's own process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Throws when the process is no longer there. */
  assertAlive(): void {
    if (this.#ended) throw new Error(`Cannot measure: ${this.kind} has ended: ${this.#stderr}`);
  }

  /** Ends the process and removes its directory. */
  async end(): Promise<void> {
    await endChild(this.#child);
    await Deno.remove(this.#directory, { recursive: true });
    directories.delete(this.#directory);
  }

  async #firstConnack(limitMs: number): Promise<void> {
    for (;;) {
      try {
        const conn = await openClient(this.target, { id: "bench-first" });
        await writeAll(conn, DISCONNECT);
        closeQuietly(conn);
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
      // A timer would wait for twice as long.
      blockUntil(epochNowMs() + POLL_MS);
      if (this.#ended || epochNowMs() > limitMs) {
        throw new Error(`Cannot start ${this.kind}: no CONNACK: ${this.#stderr}`);
      }
    }
  }

  async #collectStderr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS);
    }
  }
}

/** Removes what an interrupted measurement has left. */
export function removeDirectories(): void {
  for (const directory of directories) Deno.removeSync(directory, { recursive: true });
  directories.clear();
}

async function prepare(
  kind: BrokerKind,
  how: {
    commands: BrokerCommands;
    profile: Profile;
    guards: GuardFiles;
    port: number;
    directory: string;
  },
): Promise<string[]> {
  const config = `${how.directory}/${kind}.conf`;
  switch (kind) {
    case "relayq":
      await Deno.writeTextFile(
        config,
        relayqConfig(how.port, { ...how, appended: how.commands.relayqToml }),
      );
      return how.commands.relayq.map((word) =>
        word.replaceAll("{config}", config).replaceAll("{port}", String(how.port))
      );
    case "mosquitto":
      await Deno.writeTextFile(config, mosquittoConfig(how.port, how));
      return [how.commands.mosquitto, "-c", config];
    case "mirror":
      return [Deno.execPath(), "run", "-A", "--no-lock", MIRROR, String(how.port)];
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
