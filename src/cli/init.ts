import { exampleConfig } from "../config/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { writeNewFile } from "./_files.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** `relayq init [FILE]`: writes a complete configuration with every key at its default. */
export const initCommand: Command = {
  name: "init",
  summary: "Write a configuration with all defaults to FILE or standard output",
  details: "A file that exists already is left as it is.",
  words: ["[FILE]"],
  options: [],
  run: init,
};

async function init({ words }: ParsedArguments, io: CliIo): Promise<number> {
  const [path] = words;
  if (path === undefined) {
    io.out(exampleConfig());
    return EXIT_CODE.ok;
  }
  const problem = await writeNewFile(path, exampleConfig());
  if (problem !== undefined) {
    io.err(`Cannot write config: ${path}: ${problem}\n`);
    return EXIT_CODE.config;
  }
  io.out(`${path}: written\n`);
  return EXIT_CODE.ok;
}
