import type { CliIo, RunServer } from "../../src/cli/mod.ts";
import { runCli } from "../../src/cli/mod.ts";

/** What a run of the command line left behind. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line inside the test and collects what it writes. */
export async function run(args: readonly string[], runServer?: RunServer): Promise<CliRun> {
  let out = "";
  let err = "";
  const io: CliIo = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    ...(runServer === undefined ? {} : { runServer }),
  };
  const code = await runCli(args, io);
  return { code, out, err };
}

/** Gives `use` a directory of its own and removes it in the end. */
export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "relayq-cli-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
