import type { ParsedFile, PasswordFile, PasswordHash, PasswordScheme } from "../security/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { type Edit, editSecretFile } from "./_edit_file.ts";
import { readText } from "./_files.ts";
import { formatDiagnostic, quote } from "./_format.ts";
import { type PasswordReading, readPassword } from "./_password_input.ts";
import { EXIT_CODE } from "./exit_code.ts";

type Security = typeof import("../security/mod.ts");

/** `relayq passwd`: the users in a password file. */
export const passwdCommand: Command = {
  name: "passwd",
  summary: "Add, remove, verify or import users of a password file",
  details: `ACTION is one of
  add       add the user NAME, or change its password
  remove    remove the user NAME
  verify    tell whether a password is that of the user NAME
  import    take over the users of the file NAME, Mosquitto's or our own
The password is asked for at the terminal, or read with --password-stdin; never on the command line.
A broker that runs uses the changed file after its next reload.`,
  words: ["ACTION", "FILE", "NAME"],
  options: [
    { name: "password-stdin", doc: "add, verify: the password is all of standard input" },
    { name: "iterations", value: "N", doc: "add: iterations of PBKDF2 (600000)" },
    { name: "sha256", doc: "add: one plain SHA-256 instead, for devices too small for PBKDF2" },
    { name: "mosquitto", doc: "add: a hash that Mosquitto reads, too (PBKDF2 with SHA-512)" },
    { name: "replace", doc: "import: replace users that are there already" },
  ],
  run: passwd,
};

interface Request extends ParsedArguments {
  readonly path: string;
  /** The third word: a user or a file. */
  readonly name: string;
  readonly io: CliIo;
  readonly security: Security;
}

const ACTIONS: Readonly<Record<string, (request: Request) => Promise<number>>> = {
  add,
  remove,
  verify,
  import: importUsers,
};

async function passwd(args: ParsedArguments, io: CliIo): Promise<number> {
  const [word = "", path = "", name = ""] = args.words;
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) {
    return refuse(io, `${quote(word)} is none of ${Object.keys(ACTIONS).join(", ")}`);
  }
  // Only here, so that the other commands do not wait for it to be loaded.
  const security = await import("../security/mod.ts");
  return await action({ ...args, path, name, io, security });
}

async function add(request: Request): Promise<number> {
  const { path, name, io, security } = request;
  const fault = security.userNameFault(name);
  if (fault !== null) return refuse(io, fault);
  const how = hashOptions(request);
  if ("problem" in how) return refuse(io, how.problem);
  const read = await passwordOf(request, true);
  if ("problem" in read) return refuse(io, read.problem);
  const hash = await security.hashPassword(read.password, how);
  let known = false;
  const code = await edit(request, (text, file) => {
    known = file.has(name);
    return { text: security.withUser(text, { userName: name, hash }) };
  });
  if (code === EXIT_CODE.ok) {
    io.out(`${path}: ${known ? "changed the password of" : "added"} ${quote(name)}\n`);
  }
  return code;
}

async function remove(request: Request): Promise<number> {
  const { path, name, io, security } = request;
  const code = await edit({ ...request, mayCreate: false }, (text) => {
    const rest = security.withoutUser(text, name);
    return rest === null ? { problem: `there is no user ${quote(name)}` } : { text: rest };
  });
  if (code === EXIT_CODE.ok) io.out(`${path}: removed ${quote(name)}\n`);
  return code;
}

async function verify(request: Request): Promise<number> {
  const { path, name, io, security } = request;
  const reading = await readText(path, security.PASSWORD_FILE_LENGTH_MAX);
  if (!reading.ok) return fail(request, reading.problem);
  const parsed = security.PasswordFile.parse(reading.text);
  if (!parsed.ok) return tell(parsed, { path, io });
  const read = await passwordOf(request, false);
  if ("problem" in read) return refuse(io, read.problem);
  const right = await parsed.value.verify(name, read.password);
  if (right) io.out("the password is right\n");
  else io.err(`${parsed.value.has(name) ? "the password is wrong" : "there is no such user"}\n`);
  return right ? EXIT_CODE.ok : EXIT_CODE.denied;
}

async function importUsers(request: Request): Promise<number> {
  const { path, name, io, security, flags } = request;
  const reading = await readText(name, security.PASSWORD_FILE_LENGTH_MAX);
  if (!reading.ok) {
    io.err(`Cannot read password file: ${name}: ${reading.problem}\n`);
    return EXIT_CODE.config;
  }
  const source = security.PasswordFile.parse(reading.text);
  if (!source.ok) return tell(source, { path: name, io });
  const taken = new Map<string, PasswordHash>();
  const kept: string[] = [];
  const code = await edit(request, (text, file) => {
    for (const [userName, hash] of source.value.users) {
      if (!flags.has("replace") && file.has(userName)) kept.push(userName);
      else taken.set(userName, hash);
    }
    return { text: security.withUsers(text, taken) };
  });
  if (code !== EXIT_CODE.ok) return code;
  for (const userName of kept) {
    io.err(`${path}: ${quote(userName)} is there already and was left; --replace replaces it\n`);
  }
  io.out(`${path}: ${taken.size} users imported\n`);
  return code;
}

/** Changes the file by `change`, which gets its text only if it is without mistakes. */
async function edit(
  { path, io, security, mayCreate = true }: Request & { mayCreate?: boolean },
  change: (text: string, file: PasswordFile) => Edit,
): Promise<number> {
  let broken: number | undefined;
  const problem = await editSecretFile(path, {
    lengthMax: security.PASSWORD_FILE_LENGTH_MAX,
    mayCreate,
    edit: (text) => {
      const parsed = security.PasswordFile.parse(text);
      if (parsed.ok) return change(text, parsed.value);
      broken = tell(parsed, { path, io });
      return { problem: "it has mistakes" };
    },
  });
  if (broken !== undefined || problem === undefined) return broken ?? EXIT_CODE.ok;
  return fail({ path, io }, problem);
}

function hashOptions(
  { flags, values, security }: Request,
): { scheme: PasswordScheme; iterations?: number } | { problem: string } {
  const written = values.get("iterations")?.[0];
  if (flags.has("sha256") && (flags.has("mosquitto") || written !== undefined)) {
    return { problem: "--sha256 goes with neither --mosquitto nor --iterations" };
  }
  if (flags.has("sha256")) return { scheme: "sha256" };
  const scheme = flags.has("mosquitto") ? "pbkdf2-sha512" : "pbkdf2-sha256";
  if (written === undefined) return { scheme };
  const { ITERATIONS_MIN, ITERATIONS_MAX } = security;
  const iterations = /^\d{1,10}$/.test(written) ? Number(written) : 0;
  if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
    return { problem: `--iterations wants a number from ${ITERATIONS_MIN} to ${ITERATIONS_MAX}` };
  }
  return { scheme, iterations };
}

function passwordOf({ io, name, flags }: Request, isNew: boolean): Promise<PasswordReading> {
  return readPassword(io, { whole: flags.has("password-stdin"), isNew, of: quote(name) });
}

function tell(
  parsed: ParsedFile<unknown>,
  { path, io }: { path: string; io: CliIo },
): number {
  if (!parsed.ok) {
    for (const diagnostic of parsed.diagnostics) io.err(formatDiagnostic(path, diagnostic));
  }
  return EXIT_CODE.config;
}

function fail({ path, io }: Pick<Request, "path" | "io">, problem: string): number {
  io.err(`Cannot use password file: ${path}: ${problem}\n`);
  return EXIT_CODE.config;
}

function refuse(io: CliIo, problem: string): number {
  io.err(`Cannot run relayq passwd: ${problem}\nTry "relayq passwd --help".\n`);
  return EXIT_CODE.usage;
}
