import type { DeadLetterFile, DeadLetterSelection, StoredLetter } from "../store/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { letterDetails, letterJson, letterTable } from "./_dead_letter_text.ts";
import { readConfig } from "./_read_config.ts";
import { EXIT_CODE } from "./exit_code.ts";

const LIMIT = 50;

/** `relayq dlq`: the dead letters of a broker that does not run. */
export const dlqCommand: Command = {
  name: "dlq",
  summary: "List, show, replay or purge the messages that the broker had to give up",
  details: `ACTION is one of
  list      the newest ones as a table, or all as JSON lines with --json
  show      everything about the ones named by ID
  replay    publish them when the broker starts next, on their topic or on --to
  purge     forget them for good
The options choose which ones; replay and purge want IDs, options, or --all.
It works on the data directory of a broker that does not run.`,
  words: ["ACTION", "[ID…]"],
  options: [
    { name: "config", value: "FILE", doc: "Configuration file that names the data directory" },
    { name: "data-dir", value: "DIR", doc: "Data directory instead of the configured one" },
    { name: "reason", value: "REASON", doc: "Only those given up for this reason" },
    { name: "topic", value: "FILTER", doc: "Only those whose topic matches this Topic Filter" },
    { name: "session", value: "ID", doc: "Only those that this client did not get" },
    { name: "publisher", value: "ID", doc: "Only those that this client published" },
    { name: "since", value: "TIME", doc: "Only those given up at this time or later" },
    { name: "until", value: "TIME", doc: "Only those given up before this time" },
    { name: "limit", value: "N", doc: `list: at most so many, the newest (${LIMIT})` },
    { name: "to", value: "TOPIC", doc: "replay: publish on this topic instead" },
    { name: "all", doc: "replay, purge: all of them" },
    { name: "json", doc: "list, show: one JSON object on each line" },
  ],
  run: dlq,
};

interface Request extends ParsedArguments {
  readonly file: DeadLetterFile;
  readonly selection: DeadLetterSelection;
  /** Where to replay to; null for their own topics. */
  readonly to: Parameters<DeadLetterFile["replay"]>[1];
  readonly io: CliIo;
}

const ACTIONS: Readonly<Record<string, (request: Request) => number>> = {
  list,
  show,
  replay,
  purge,
};

async function dlq(args: ParsedArguments, io: CliIo): Promise<number> {
  const [name = "", ...ids] = args.words;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    return refuse(io, `${JSON.stringify(name)} is none of ${Object.keys(ACTIONS).join(", ")}`);
  }
  // Only here, so that the other commands do not wait for the database to be loaded.
  const { openDeadLetters, parseReplayTopic, parseSelection } = await import("../store/mod.ts");
  const [reason, topic, session, publisher, since, until] = [
    "reason",
    "topic",
    "session",
    "publisher",
    "since",
    "until",
  ].map((option) => args.values.get(option)?.[0]);
  const selection = parseSelection({ ids, reason, topic, session, publisher, since, until });
  if ("problem" in selection) return refuse(io, selection.problem);
  const written = args.values.get("to")?.[0];
  const to = written === undefined ? null : parseReplayTopic(written);
  if (to !== null && typeof to === "object") return refuse(io, `--to: ${to.problem}`);
  const chosen = Object.keys(selection).length > 0 || args.flags.has("all");
  if (name === "show" && ids.length === 0) return refuse(io, "show wants IDs");
  if ((name === "replay" || name === "purge") && !chosen) {
    return refuse(io, `${name} wants IDs, options that choose, or --all`);
  }
  const config = await readConfig(args.values.get("config")?.[0], io);
  if (config === undefined) return EXIT_CODE.config;
  const path = `${args.values.get("data-dir")?.[0] ?? config.store.dataDir}/relayq.db`;
  const file = await openDeadLetters(path);
  if ("problem" in file) {
    const running = file.kind === "locked" ? "; is the broker running?" : "";
    io.err(`Cannot open ${path}: ${file.problem}${running}\n`);
    return EXIT_CODE.config;
  }
  try {
    return action({ ...args, file, selection, to, io });
  } finally {
    file.close();
  }
}

function list({ file, selection, io, values, flags }: Request): number {
  const json = flags.has("json");
  const limit = Number(values.get("limit")?.[0] ?? (json ? Infinity : LIMIT));
  if (!(limit >= 1)) return refuse(io, "--limit wants a number");
  const newest: StoredLetter[] = [];
  let count = 0;
  for (const letter of file.list(selection)) {
    count++;
    if (json && limit === Infinity) {
      io.out(letterJson(letter));
      continue;
    }
    newest.push(letter);
    if (newest.length > limit) newest.shift();
  }
  if (json) { for (const letter of newest) io.out(letterJson(letter)); }
  else io.out(letterTable(newest, count));
  return EXIT_CODE.ok;
}

function show({ file, selection, io, flags }: Request): number {
  const letters = [...file.list(selection)];
  for (const letter of letters) {
    io.out(flags.has("json") ? letterJson(letter) : letterDetails(letter));
  }
  const missing = (selection.ids ?? []).filter((id) => !letters.some((l) => l.id === id));
  for (const id of missing) io.err(`No dead letter ${id}\n`);
  return missing.length === 0 ? EXIT_CODE.ok : EXIT_CODE.config;
}

function replay({ file, selection, to, io }: Request): number {
  const { taken, left } = file.replay(selection, to);
  io.out(`${taken} of them will be published when the broker starts\n`);
  if (left > 0) {
    io.out(`${left} stay: their payload is not known (oversize), or their topic is the server's\n`);
  }
  return EXIT_CODE.ok;
}

function purge({ file, selection, io }: Request): number {
  io.out(`${file.purge(selection)} purged\n`);
  return EXIT_CODE.ok;
}

function refuse(io: CliIo, problem: string): number {
  io.err(`Cannot run relayq dlq: ${problem}\nTry "relayq dlq --help".\n`);
  return EXIT_CODE.usage;
}
