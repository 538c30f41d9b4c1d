import { nearestName } from "../config/mod.ts";
import { aclCommand } from "./acl.ts";
import { adminCommand } from "./admin.ts";
import { auditCommand } from "./audit.ts";
import { benchCommand } from "./bench.ts";
import { checkCommand } from "./check.ts";
import type { CliIo } from "./cli_io.ts";
import { ctlCommand } from "./ctl.ts";
import { dlqCommand } from "./dlq.ts";
import { doctorCommand } from "./doctor.ts";
import { type Command, HELP_OPTION, type ParsedArguments } from "./_command.ts";
import { formatSuggestion, quote } from "./_format.ts";
import { commandHelp, groupHelp, programHelp } from "./_help.ts";
import { parseCommandLine, type UsageProblem } from "./_parse_command_line.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { initCommand } from "./init.ts";
import { passwdCommand } from "./passwd.ts";
import { pubCommand } from "./pub.ts";
import { serveCommand } from "./serve.ts";
import { sparkplugCommand } from "./sparkplug.ts";
import { subCommand } from "./sub.ts";
import { versionCommand } from "./version.ts";

const helpCommand: Command = {
  name: "help",
  summary: "Show this help or a command's",
  words: ["[COMMAND]"],
  options: [],
  run: help,
};

const COMMANDS: readonly Command[] = [
  serveCommand,
  checkCommand,
  doctorCommand,
  initCommand,
  dlqCommand,
  ctlCommand,
  passwdCommand,
  aclCommand,
  adminCommand,
  auditCommand,
  sparkplugCommand,
  pubCommand,
  subCommand,
  benchCommand,
  versionCommand,
  helpCommand,
];

/**
 * Does what the command line says and resolves to the process's exit code, one of `EXIT_CODE`.
 * Never rejects: a fault inside is told on standard error and ends in `EXIT_CODE.internal`.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    io.err(`Internal error: ${error instanceof Error ? error.stack ?? error.message : error}\n`);
    return EXIT_CODE.internal;
  }
}

async function dispatch(args: readonly string[], io: CliIo): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) {
    io.err(programHelp(COMMANDS));
    return EXIT_CODE.usage;
  }
  if (first.startsWith("-")) return await dispatchOption(args, io);
  const command = COMMANDS.find((candidate) => candidate.name === first);
  if (command === undefined) return refuse(unknownCommand(first), { io });
  if (command.subcommands !== undefined) return await dispatchWithin(command, rest, io);
  return await runCommand(command, rest, io);
}

/** A command that has commands of its own. */
async function dispatchWithin(
  group: Command,
  args: readonly string[],
  io: CliIo,
): Promise<number> {
  const commands = await group.subcommands!();
  const [first, ...rest] = args;
  if (first === undefined) {
    io.err(groupHelp(group, commands));
    return EXIT_CODE.usage;
  }
  const named = commands.find(({ name }) => name === first);
  if (named !== undefined) {
    return await runCommand({ ...named, name: `${group.name} ${named.name}` }, rest, io);
  }
  const parsed = parseCommandLine(args, { words: ["[COMMAND]"], options: [] });
  if (!("problem" in parsed) && parsed.flags.has(HELP_OPTION.name)) {
    io.out(groupHelp(group, commands));
    return EXIT_CODE.ok;
  }
  if (first.startsWith("-")) {
    return refuse({ problem: "COMMAND is missing" }, { io, command: group });
  }
  return refuse(unknownCommand(first, commands), { io, command: group });
}

async function runCommand(command: Command, args: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseCommandLine(args, command);
  if ("problem" in parsed) return refuse(parsed, { io, command });
  if (parsed.flags.has(HELP_OPTION.name)) {
    io.out(commandHelp(command));
    return EXIT_CODE.ok;
  }
  return await command.run(parsed, io);
}

async function dispatchOption(args: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseCommandLine(args, {
    words: [],
    options: [{ name: "version", doc: "Show the versions" }],
  });
  if ("problem" in parsed) return refuse(parsed, { io });
  if (parsed.flags.has("version")) return await versionCommand.run(parsed, io);
  io.out(programHelp(COMMANDS));
  return EXIT_CODE.ok;
}

async function help({ words }: ParsedArguments, io: CliIo): Promise<number> {
  const [name] = words;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (name !== undefined && command === undefined) return refuse(unknownCommand(name), { io });
  if (command?.subcommands !== undefined) return await dispatchWithin(command, ["--help"], io);
  io.out(command === undefined ? programHelp(COMMANDS) : commandHelp(command));
  return EXIT_CODE.ok;
}

function unknownCommand(name: string, commands = COMMANDS): UsageProblem {
  const suggestion = nearestName(name.toLowerCase(), commands.map((command) => command.name));
  const problem = `unknown command ${quote(name)}`;
  return suggestion === undefined ? { problem } : { problem, suggestion };
}

function refuse(
  { problem, suggestion }: UsageProblem,
  { io, command }: { io: CliIo; command?: Command },
): number {
  const name = command === undefined ? "relayq" : `relayq ${command.name}`;
  io.err(`Cannot run ${name}: ${problem}${formatSuggestion(suggestion)}\n`);
  io.err(`Try "${name} --help".\n`);
  return EXIT_CODE.usage;
}
