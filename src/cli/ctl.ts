import type { CliIo } from "./cli_io.ts";
import type { Command, OptionSchema, ParsedArguments } from "./_command.ts";
import { actionsOf, type CtlAction, isList, optionsOf, requestOf } from "./_ctl_actions.ts";
import { type CtlAnswer, CtlClient, type CtlRequest, TOKEN_VARIABLE } from "./_ctl_client.ts";
import { allPages, type CtlPage } from "./_ctl_pages.ts";
import { ctlTop } from "./_ctl_top.ts";
import { fileProblem } from "./_files.ts";
import { asJson, printable } from "./_format.ts";
import { columnsOf, facts, table } from "./_table.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** In base64 that is what a request may hold. */
const FILE_BYTES_MAX = 48_000;
const COMMON: readonly OptionSchema[] = [
  { name: "config", value: "FILE", doc: "Configuration file that names the address" },
  { name: "address", value: "URL", doc: "Admin listener instead of the configured one" },
  { name: "token-file", value: "FILE", doc: `File with the token, instead of ${TOKEN_VARIABLE}` },
  { name: "ca", value: "FILE", doc: "Certificates that the listener's may be issued by, PEM" },
  { name: "cert", value: "FILE", doc: "Client certificate instead of a token, PEM" },
  { name: "key", value: "FILE", doc: "Its private key, PEM" },
];
const JSON_OPTION: OptionSchema = { name: "json", doc: "The answer as it came, for programs" };
const ALL_OPTION: OptionSchema = { name: "all", doc: "All pages, joined" };
const FILE_OPTION: OptionSchema = {
  name: "file",
  value: "FILE",
  doc: `The payload, as it stands in a file of at most ${FILE_BYTES_MAX} bytes`,
};
/** Pages are as large as they may be when all are wanted. */
const PAGE_ITEMS_MAX = "1000";

/** `relayq ctl`: the admin API of a running broker, from a shell. */
export const ctlCommand: Command = {
  name: "ctl",
  summary: "See and change a running broker through its admin API",
  details:
    `The address is that of --address, or admin.address of --config. The token is the first word of
--token-file, or of the file that the variable ${TOKEN_VARIABLE} names; health needs none.
The exit code is 1 if the broker does not answer, or cannot do it at present, and 5 if its answer is
no: there is no such thing, or the token may not.`,
  words: ["COMMAND", "[ARGUMENT…]"],
  options: COMMON,
  run: (_args, io) => {
    io.err('Cannot run relayq ctl: COMMAND is missing\nTry "relayq ctl --help".\n');
    return EXIT_CODE.usage;
  },
  async subcommands() {
    // Only here, so that the other commands do not wait for the API to be loaded.
    const { API_DEFINITIONS } = await import("../admin/mod.ts");
    const commands = actionsOf(API_DEFINITIONS).map(commandOf);
    const all = [...commands, healthCommand, topCommand];
    return all.sort((a, b) => a.name < b.name ? -1 : 1);
  },
};

const healthCommand: Command = {
  name: "health",
  summary: "Whether the broker takes clients: exit code 0 or 1; needs no token",
  words: [],
  options: COMMON,
  run: (args, io) => withClient(args, io, ready),
};

const topCommand: Command = {
  name: "top",
  summary: "What goes on, once a second, until it is interrupted",
  words: [],
  options: [
    ...COMMON,
    { name: "count", value: "N", doc: "So many times, one below the other" },
  ],
  run: (args, io) => withClient(args, io, (client) => ctlTop(client, args, io)),
};

function commandOf(action: CtlAction): Command {
  const own = [...optionsOf(action), ...action.name === "publish" ? [FILE_OPTION] : []];
  const list = isList(action) && !own.some(({ name }) => name === "all") ? [ALL_OPTION] : [];
  return {
    name: action.name,
    summary: action.definition.summary,
    words: action.words.map(({ shown }) => shown),
    options: [...own, ...list, JSON_OPTION, ...COMMON],
    run: (args, io) => withClient(args, io, (client) => act(action, { client, args, io })),
  };
}

/** What a command works with. */
interface Work {
  readonly client: CtlClient;
  readonly args: ParsedArguments;
  readonly io: CliIo;
}

async function withClient(
  args: ParsedArguments,
  io: CliIo,
  use: (client: CtlClient, io: CliIo) => Promise<number>,
): Promise<number> {
  const client = await CtlClient.open(args, io);
  if (client === undefined) return EXIT_CODE.config;
  if ("problem" in client) {
    io.err(`Cannot run relayq ctl: ${client.problem}\n`);
    return EXIT_CODE.config;
  }
  try {
    return await use(client, io);
  } finally {
    client.close();
  }
}

async function act(action: CtlAction, { client, args, io }: Work): Promise<number> {
  const wantsAll = isList(action) && args.flags.has("all");
  const values = new Map(args.values);
  if (wantsAll) values.set("limit", [PAGE_ITEMS_MAX]);
  const fault = await takeFile(values);
  const request = fault ?? requestOf(action, { ...args, values });
  if ("problem" in request) {
    io.err(`Cannot run relayq ctl ${action.name}: ${request.problem}\n`);
    return EXIT_CODE.usage;
  }
  const answer = wantsAll ? await allPages(client, request) : await client.ask(request);
  return tell(answer, { action, request, args, io });
}

/** Puts the content of `--file` in its place; gives why that is not possible. */
async function takeFile(
  values: Map<string, readonly string[]>,
): Promise<{ problem: string } | null> {
  const path = values.get("file")?.[0];
  if (path === undefined) return null;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (isFile && size > FILE_BYTES_MAX) return { problem: `--file ${path}: it is too long` };
    const bytes = await Deno.readFile(path);
    values.set("payload-base64", [bytes.toBase64()]);
    return null;
  } catch (error) {
    return { problem: `--file ${path}: ${fileProblem(error)}` };
  }
}

/** Writes the answer, and gives the exit code. */
function tell(
  answer: CtlAnswer | { problem: string },
  { action, args, io }: Omit<Work, "client"> & { action: CtlAction; request: CtlRequest },
): number {
  if ("problem" in answer) return unreachable(answer, io);
  const { status, json } = answer;
  if (status >= 300) {
    if (args.flags.has("json") && json !== null) io.out(`${asJson(json)}\n`);
    io.err(`Cannot run relayq ctl ${action.name}: ${status} ${detailOf(json)}\n`);
    return status >= 500 ? EXIT_CODE.config : EXIT_CODE.denied;
  }
  if (args.flags.has("json")) {
    if (json !== null) io.out(`${asJson(json)}\n`);
    return EXIT_CODE.ok;
  }
  const width = io.width?.() ?? null;
  if (json === null) io.out("done\n");
  else if (isPage(json)) io.out(pageText(json, { columns: action.columns, width }));
  else io.out(facts(json as Record<string, unknown>, width));
  return EXIT_CODE.ok;
}

function pageText(
  { items, next, total }: CtlPage,
  { columns, width }: { columns: readonly string[] | null; width: number | null },
): string {
  if (items.length === 0) return next === null ? "none\n" : `none here; --cursor ${next}\n`;
  const shown = table(items, columns ?? columnsOf(items), width);
  if (next === null) return shown;
  const of = total === null ? "" : ` of ${total}`;
  return `${shown}${items.length}${of}; --all shows all, --cursor ${next} those that follow\n`;
}

async function ready(client: CtlClient, io: CliIo): Promise<number> {
  const answer = await client.ask({ method: "GET", target: "/readyz" });
  if ("problem" in answer) return unreachable(answer, io);
  if (answer.status === 200) {
    io.out("ready\n");
    return EXIT_CODE.ok;
  }
  io.err(`not ready: ${detailOf(answer.json)}\n`);
  return EXIT_CODE.config;
}

function unreachable({ problem }: { problem: string }, io: CliIo): number {
  io.err(`Cannot reach the broker: ${problem}\n`);
  return EXIT_CODE.config;
}

function detailOf(json: unknown): string {
  const { detail } = (json ?? {}) as { detail?: unknown };
  return typeof detail === "string" ? printable(detail) : "";
}

function isPage(json: unknown): json is CtlPage {
  return typeof json === "object" && json !== null && "items" in json && "next" in json;
}
