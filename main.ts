import { type CliIo, exitOnFault, runCli, terminalWidth, writeFully } from "./src/cli/mod.ts";

const io: CliIo = {
  out: (text) => void writeFully(Deno.stdout, text),
  err: (text) => void writeFully(Deno.stderr, text),
  log: Deno.stderr,
  write: (bytes) => writeFully(Deno.stdout, bytes),
  isTerminal: Deno.stdout.isTerminal(),
  width: terminalWidth,
};

exitOnFault(io);
Deno.exit(await runCli(Deno.args, io));
