import type { ClientIdentity, FileDiagnostic, Operation, RuleTemplates } from "../security/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { readText } from "./_files.ts";
import { formatDiagnostic, quote } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

type Security = typeof import("../security/mod.ts");

/** `relayq acl`: access files, without a broker. */
export const aclCommand: Command = {
  name: "acl",
  summary: "Check an access file, ask what it allows, or import one of Mosquitto",
  details: `ACTION is one of
  check FILE                               tell all mistakes in an access file
  test FILE USER CLIENT OPERATION TOPIC    tell the verdict and the rule that made it
  import FILE                              print Mosquitto's acl_file as an access file
USER is a user name, or - for none. CLIENT is a Client Identifier. OPERATION is pub, sub or read,
the delivery of a message; for sub, TOPIC is a Topic Filter.`,
  words: ["ACTION", "FILE", "[USER CLIENT OPERATION TOPIC…]"],
  options: [
    { name: "certificate", value: "IDENTITY", doc: "test: identity of the client certificate" },
  ],
  run: acl,
};

interface Request extends ParsedArguments {
  readonly path: string;
  readonly text: string;
  /** The words behind the file. */
  readonly rest: readonly string[];
  readonly io: CliIo;
  readonly security: Security;
  /** What `use` can name, as for the broker. */
  readonly templates: RuleTemplates;
}

const ACTIONS: Readonly<Record<string, { run(request: Request): number; words: number }>> = {
  check: { run: check, words: 0 },
  test: { run: test, words: 4 },
  import: { run: importAcl, words: 0 },
};

const OPERATIONS: Readonly<Record<string, Operation>> = {
  pub: "publish",
  sub: "subscribe",
  read: "read",
};

async function acl(args: ParsedArguments, io: CliIo): Promise<number> {
  const [name = "", path = "", ...rest] = args.words;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    return refuse(io, `${quote(name)} is none of ${Object.keys(ACTIONS).join(", ")}`);
  }
  if (rest.length !== action.words) {
    return refuse(io, `${name} wants ${action.words} words behind FILE, not ${rest.length}`);
  }
  // Only here, so that the other commands do not wait for it to be loaded.
  const security = await import("../security/mod.ts");
  const { ACL_TEMPLATES: templates } = await import("../sparkplug/mod.ts");
  const reading = await readText(path, security.ACCESS_FILE_LENGTH_MAX);
  if (!reading.ok) {
    io.err(`Cannot read access file: ${path}: ${reading.problem}\n`);
    return EXIT_CODE.config;
  }
  return action.run({ ...args, path, text: reading.text, rest, io, security, templates });
}

function check({ path, text, io, security, templates }: Request): number {
  const parsed = security.AccessRules.parse(text, { templates });
  if (!parsed.ok) return tell(parsed.diagnostics, { path, write: io.out });
  for (const warning of parsed.value.warnings()) {
    io.out(formatDiagnostic(path, { ...warning, message: `warning: ${warning.message}` }));
  }
  io.out(`${path}: ok\n`);
  return EXIT_CODE.ok;
}

function test({ path, text, rest, values, io, security, templates }: Request): number {
  const [userName = "", clientIdentifier = "", word = "", topic = ""] = rest;
  const operation = Object.hasOwn(OPERATIONS, word) ? OPERATIONS[word] : undefined;
  if (operation === undefined) {
    return refuse(io, `${quote(word)} is none of ${Object.keys(OPERATIONS).join(", ")}`);
  }
  const parsed = security.AccessRules.parse(text, { templates });
  if (!parsed.ok) return tell(parsed.diagnostics, { path, write: io.err });
  const identity: ClientIdentity = {
    userName: userName === "-" ? null : userName,
    clientIdentifier,
    certificate: values.get("certificate")?.[0] ?? null,
  };
  const checked = security.checkTopic(operation, topic);
  if (typeof checked !== "string") return refuse(io, `${quote(topic)}: ${checked.reason}`);
  const { allowed, reason } = parsed.value.for(identity).explain(operation, checked);
  io.out(`${reason}\n`);
  return allowed ? EXIT_CODE.ok : EXIT_CODE.denied;
}

function importAcl({ path, text, io, security }: Request): number {
  const imported = security.importMosquittoAcl(text);
  if (!imported.ok) return tell(imported.diagnostics, { path, write: io.err });
  for (const note of imported.value.notes) {
    io.err(formatDiagnostic(path, { ...note, message: `warning: ${note.message}` }));
  }
  io.out(imported.value.text);
  return EXIT_CODE.ok;
}

function tell(
  diagnostics: readonly FileDiagnostic[],
  { path, write }: { path: string; write: (text: string) => void },
): number {
  for (const diagnostic of diagnostics) write(formatDiagnostic(path, diagnostic));
  return EXIT_CODE.config;
}

function refuse(io: CliIo, problem: string): number {
  io.err(`Cannot run relayq acl: ${problem}\nTry "relayq acl --help".\n`);
  return EXIT_CODE.usage;
}
