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
  const letters = new Set(options.map(({ short }) => short));
  const rows = [...options, HELP_OPTION].map((option) => {
    const taken = option === HELP_OPTION && letters.has(option.short);
    const letter = option.short === undefined || taken ? "" : `-${option.short}, `;
    return { left: letter + usageName(option), doc: option.doc };
  });
  const width = Math.max(...rows.map((row) => row.left.length));
  const list = rows.map(({ left, doc }) => `  ${left.padEnd(width)}  ${doc}\n`);
  const more = details === undefined ? "" : `\n${details}\n`;
  return `${summary}\n\nUsage: ${usage}\n${more}\nOptions:\n${list.join("")}\n${EXIT_CODE_HELP}`;
}

function usageName({ name, value }: OptionSchema): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function usageOf(option: OptionSchema): string {
  return `[${usageName(option)}]${option.repeatable ? "…" : ""}`;
}
