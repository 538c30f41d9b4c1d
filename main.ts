import { type CliIo, exitOnFault, runCli, writeFully } from "./src/cli/mod.ts";

const io: CliIo = {
  out: (text) => writeFully(Deno.stdout, text),
  err: (text) => writeFully(Deno.stderr, text),
  log: Deno.stderr,
};

exitOnFault(io);
Deno.exit(await runCli(Deno.args, io));
