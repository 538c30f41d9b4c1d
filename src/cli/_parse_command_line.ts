import { parseArgs } from "@std/cli";
import { nearestName } from "../config/mod.ts";
import { type Command, HELP_OPTION, type OptionSchema, type ParsedArguments } from "./_command.ts";
import { quote } from "./_format.ts";

/** What is wrong with a command line. */
export interface UsageProblem {
  readonly problem: string;
  readonly suggestion?: string;
}

/** Takes apart what stands behind the command's name. `--help` wins over any mistake beside it. */
export function parseCommandLine(
  args: readonly string[],
  { options, words: wanted }: Pick<Command, "options" | "words">,
): ParsedArguments | UsageProblem {
  const all = [...options, HELP_OPTION];
  const valued = all.filter((option) => option.value !== undefined);
  const valuedNames = valued.map((option) => option.name);
  const flagNames = all.filter((option) => option.value === undefined).map((option) => option.name);
  const unknown: string[] = [];
  const parsed = parseArgs(withJoinedValues(args, valued), {
    boolean: flagNames,
    string: [...valuedNames, "_"],
    collect: valuedNames,
    alias: lettersOf(all),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      unknown.push(arg);
      return false;
    },
  });
  const flags = new Set(flagNames.filter((name) => parsed[name] === true));
  const values = new Map(valuedNames.map((name) => [name, asStrings(parsed[name])]));
  const words = parsed._.map(String);
  if (flags.has("help")) return { flags, values, words };
  return unknownOption(unknown, all) ?? valueProblem(valued, values) ??
    wordProblem(words, wanted) ?? { flags, values, words };
}

/** The letter of one option may be that which another one has in all other commands: the first wins. */
function lettersOf(options: readonly OptionSchema[]): Record<string, string> {
  const letters = new Map<string, string>();
  for (const { name, short } of options) {
    if (short !== undefined && !letters.has(short)) letters.set(short, name);
  }
  return Object.fromEntries([...letters].map(([letter, name]) => [name, letter]));
}

/** `-m -5` as `--message=-5`: a value that is taken as it is cannot be mistaken for an option. */
function withJoinedValues(args: readonly string[], options: readonly OptionSchema[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const option = options.find(({ verbatim, name, short }) =>
      verbatim === true && (arg === `--${name}` || arg === `-${short}`)
    );
    if (arg === "--") return [...joined, ...args.slice(i)];
    const value = option === undefined ? undefined : args[++i];
    joined.push(option === undefined ? arg : `--${option.name}=${value ?? ""}`);
  }
  return joined;
}

function asStrings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function unknownOption(
  unknown: readonly string[],
  options: readonly OptionSchema[],
): UsageProblem | undefined {
  const [first] = unknown;
  if (first === undefined) return undefined;
  const written = first.split("=", 1)[0] ?? first;
  const nearest = nearestName(written.replace(/^-+/, ""), options.map((option) => option.name));
  return {
    problem: `unknown option ${quote(written)}`,
    ...(nearest === undefined ? {} : { suggestion: `--${nearest}` }),
  };
}

function valueProblem(
  options: readonly OptionSchema[],
  values: ReadonlyMap<string, readonly string[]>,
): UsageProblem | undefined {
  for (const { name, value, repeatable, verbatim } of options) {
    const given = values.get(name) ?? [];
    if (given.includes("") && verbatim !== true) {
      return { problem: `--${name} needs a value: ${value}` };
    }
    if (given.length > 1 && repeatable !== true) {
      return { problem: `--${name} is given ${given.length} times, but may be given only once` };
    }
  }
  return undefined;
}

function wordProblem(
  words: readonly string[],
  wanted: readonly string[],
): UsageProblem | undefined {
  const missing = wanted[words.length];
  if (missing !== undefined && !missing.startsWith("[")) {
    return { problem: `${missing} is missing` };
  }
  if (wanted.at(-1)?.includes("…")) return undefined;
  const excess = words[wanted.length];
  return excess === undefined ? undefined : { problem: `unexpected argument ${quote(excess)}` };
}
