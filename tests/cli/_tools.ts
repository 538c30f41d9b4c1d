/** Commands that speak to a broker, run inside the test or as processes of their own. */
import { type CliIo, type PasswordSource, runCli } from "../../src/cli/mod.ts";
import type { TestBroker } from "../support/test_broker.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a command left behind. */
export interface ToolRun {
  readonly code: number;
  /** Standard output, byte by byte in Latin-1. */
  readonly out: string;
  readonly err: string;
}

/** Runs a command inside the test; `input` is its standard input. */
export async function runTool(args: readonly string[], input = ""): Promise<ToolRun> {
  const bytes: Uint8Array[] = [];
  let err = "";
  const io: CliIo = {
    out: (text) => void bytes.push(new TextEncoder().encode(text)),
    err: (text) => void (err += text),
    write: (part) => bytes.push(part.slice()) > 0,
    input: pipeOf(input),
  };
  const code = await runCli(args, io);
  return { code, out: bytes.map((part) => new TextDecoder("latin1").decode(part)).join(""), err };
}

/** Standard input that comes in pieces of seven bytes. */
function pipeOf(text: string): PasswordSource {
  let rest: Uint8Array = new TextEncoder().encode(text);
  return {
    isTerminal: () => false,
    setRaw() {},
    read(target) {
      if (rest.length === 0) return Promise.resolve(null);
      const part = rest.subarray(0, Math.min(7, target.length));
      target.set(part);
      rest = rest.subarray(part.length);
      return Promise.resolve(part.length);
    },
  };
}

/** Starts a command as a process of its own, with the permissions that it needs. */
export function spawnTool(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  const permissions = [
    "--allow-net=127.0.0.1",
    "--allow-read",
    "--allow-env=NO_PROXY",
    "--no-prompt",
  ];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, new URL("main.ts", ROOT).pathname, ...args],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Resolves when a broker has so many subscriptions. */
export async function subscribed(broker: TestBroker, count: number): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (broker.server.broker.statistics.subscriptions < count) {
    if (performance.now() > deadlineMs) throw new Error("Cannot see subscription: none for 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
