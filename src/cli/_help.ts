import { type Command, HELP_OPTION, type OptionSchema } from "./_command.ts";
import { EXIT_CODE_HELP } from "./exit_code.ts";
import { VERSION } from "./version.ts";

/** The help of the whole program. */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `RelayQ ${VERSION}, an MQTT 3.1.1 broker

Usage: relayq COMMAND [OPTIONS]

Commands:
${list.join("")}
Options:
  -h, --help  Show this help; "relayq help COMMAND" shows a command's
  --version   Show the versions

${EXIT_CODE_HELP}`;
}

/** The help of one command. */
export function commandHelp({ name, summary, details, words, options }: Command): string {
  const usage = ["relayq", name, ...options.map(usageOf), ...words].join(" ");
  const list = optionRows(options);
  const more = details === undefined ? "" : `\n${details}\n`;
  return `${summary}\n\nUsage: ${usage}\n${more}\nOptions:\n${list}\n${EXIT_CODE_HELP}`;
}

/** The help of a command that has commands of its own. */
export function groupHelp(command: Command, commands: readonly Command[]): string {
  const { name, summary, details, options } = command;
  const list = rowsOf(commands.map((one) => ({ left: one.name, doc: one.summary })));
  const common = optionRows(options);
  return `${summary}

Usage: relayq ${name} COMMAND [ARGUMENTS] [OPTIONS]

${details ?? ""}

Commands ("relayq ${name} COMMAND --help" shows one):
${list}
Options of all of them:
${common}
${EXIT_CODE_HELP}`;
}

function optionRows(options: readonly OptionSchema[]): string {
  const letters = new Set(options.map(({ short }) => short));
  return rowsOf([...options, HELP_OPTION].map((option) => {
    const taken = option === HELP_OPTION && letters.has(option.short);
    const letter = option.short === undefined || taken ? "" : `-${option.short}, `;
    return { left: letter + usageName(option), doc: option.doc };
  }));
}

function rowsOf(rows: readonly { left: string; doc: string }[]): string {
  const width = Math.max(...rows.map((row) => row.left.length));
  return rows.map(({ left, doc }) => `  ${`${left.padEnd(width)}  ${doc}`.trimEnd()}\n`).join("");
}

function usageName({ name, value }: OptionSchema): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function usageOf(option: OptionSchema): string {
  return `[${usageName(option)}]${option.repeatable ? "…" : ""}`;
}
