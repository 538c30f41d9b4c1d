import {
  type Config,
  type ConfigOverrides,
  overrideConfig,
  parseListenAddress,
} from "../config/mod.ts";
import { banner } from "./banner.ts";
import type { CliIo, RunServer } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { readConfig } from "./_read_config.ts";
import { formatSuggestion, quote } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** `relayq serve`: runs the broker. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Run the broker",
  details: `Without --config all defaults hold: only this machine can connect. A listener that other
machines can reach needs a password file, client certificates that are required, or
allow_anonymous = true in the configuration.`,
  words: [],
  options: [
    { name: "config", value: "FILE", doc: "Configuration file" },
    {
      name: "listen",
      value: "ADDRESS",
      repeatable: true,
      doc: "Listen on host:port instead of the configured addresses; repeatable",
    },
    { name: "data-dir", value: "DIR", doc: "Data directory instead of the configured one" },
  ],
  run: serve,
};

async function serve(args: ParsedArguments, io: CliIo): Promise<number> {
  // Left to the system, SIGHUP would end the process; and what is about to be read is read anyway.
  Deno.addSignalListener("SIGHUP", doNothing);
  try {
    return await start(args, io);
  } finally {
    Deno.removeSignalListener("SIGHUP", doNothing);
  }
}

function doNothing(): void {}

async function start({ values }: ParsedArguments, io: CliIo): Promise<number> {
  const listen = values.get("listen") ?? [];
  for (const text of listen) {
    const address = parseListenAddress(text);
    if (!("problem" in address)) continue;
    const { problem, suggestion } = address;
    io.err(`Cannot listen on ${quote(text)}: ${problem}${formatSuggestion(suggestion)}\n`);
    return EXIT_CODE.usage;
  }
  const path = values.get("config")?.[0];
  const configured = await readConfig(path, io);
  if (configured === undefined) return EXIT_CODE.config;
  const dataDir = values.get("data-dir")?.[0];
  const overrides = dataDir === undefined ? { listen } : { listen, dataDir };
  const overridden = overrideConfig(configured, overrides);
  if (!overridden.ok) {
    for (const problem of overridden.problems) io.err(`Cannot start: ${problem}\n`);
    return EXIT_CODE.config;
  }
  const runServer = io.runServer ?? await loadServer();
  const { config } = overridden;
  const started = (addresses: readonly Deno.NetAddr[], admin: Deno.NetAddr | null): void =>
    io.out(banner(config, { addresses, admin }));
  const log = io.log === undefined ? {} : { log: io.log };
  const reread = () => readAgain(path, overrides);
  return await runServer(config, { err: io.err.bind(io), ...log, started, reread });
}

/** What `serve` would be started with now. A pipe that was read once has nothing more to say. */
async function readAgain(
  path: string | undefined,
  overrides: ConfigOverrides,
): Promise<Config | { problems: readonly string[] } | null> {
  if (path === undefined) return null;
  const info = await Deno.stat(path).catch(() => null);
  if (info !== null && !info.isFile) return null;
  const problems: string[] = [];
  const tell = (text: string) => void problems.push(text.trimEnd());
  const configured = await readConfig(path, { out: tell, err: tell });
  if (configured === undefined) return { problems };
  const overridden = overrideConfig(configured, overrides);
  return overridden.ok ? overridden.config : overridden;
}

async function loadServer(): Promise<RunServer> {
  // Only here, so that the other commands do not wait for the broker to be loaded.
  const { runServer } = await import("../server.ts");
  return runServer;
}
