import type { CliIo } from "./cli_io.ts";

/** One option of a command. */
export interface OptionSchema {
  /** Name without the dashes. */
  readonly name: string;
  /** One letter that stands for it. */
  readonly short?: string;
  /** What `--help` calls the value; an option without it takes none. */
  readonly value?: string;
  /** True if it may be given more than once. */
  readonly repeatable?: boolean;
  /** True if its value is taken as it is: it may be empty, and begin with "-". */
  readonly verbatim?: boolean;
  readonly doc: string;
}

/** A command line taken apart, known to fit its command. */
export interface ParsedArguments {
  /** Names of the options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** The values of the other options, in their order; an option that was not given has none. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What belongs to no option. */
  readonly words: readonly string[];
}

/** One subcommand. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What to tell beyond that in its own help. */
  readonly details?: string;
  /** The words it takes, in order; those in brackets may be left out, one with … be repeated. */
  readonly words: readonly string[];
  readonly options: readonly OptionSchema[];
  /** Commands of its own, for those that have some: the first word is the name of one. */
  subcommands?(): Promise<readonly Command[]>;
  /** Does it and tells the exit code. */
  run(args: ParsedArguments, io: CliIo): number | Promise<number>;
}

/** The option every command has; in some its letter stands for another one. */
export const HELP_OPTION: OptionSchema = { name: "help", short: "h", doc: "Show this help" };
