import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { readConfigFile } from "./_files.ts";
import { loadWhole } from "./_read_config.ts";
import { formatDiagnostic } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** `relayq check FILE`: tells everything that is wrong with a configuration file. */
export const checkCommand: Command = {
  name: "check",
  summary: "Check a configuration file and tell all its mistakes",
  words: ["FILE"],
  options: [],
  run: check,
};

async function check({ words }: ParsedArguments, io: CliIo): Promise<number> {
  const [path = ""] = words;
  const file = await readConfigFile(path);
  if (!file.ok) {
    io.err(`Cannot read config: ${path}: ${file.problem}\n`);
    return EXIT_CODE.config;
  }
  const { ok, diagnostics } = await loadWhole(file.text);
  for (const diagnostic of diagnostics) io.out(formatDiagnostic(path, diagnostic));
  if (!ok) return EXIT_CODE.config;
  io.out(`${path}: ok\n`);
  return EXIT_CODE.ok;
}
