import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { type Edit, editSecretFile } from "./_edit_file.ts";
import { formatDiagnostic, quote } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

type Security = typeof import("../security/mod.ts");

/** `relayq admin`: who may use the admin API. */
export const adminCommand: Command = {
  name: "admin",
  summary: "Make or remove tokens of the admin API",
  details: `ACTION is one of
  token     make a token for NAME: it is shown now and never again; the file holds its hash
  remove    remove the tokens of NAME from the file
With --file the line is added to the file of admin.tokens_file, which is made if there is none; without
it the line is shown. NAME may have several tokens: the old and the new one while it is replaced.
A broker that runs uses the changed file within security.file_check_ms, or at SIGHUP.`,
  words: ["ACTION", "NAME"],
  options: [
    { name: "role", value: "ROLE", doc: "token: read, operate or admin" },
    { name: "file", value: "FILE", doc: "The tokens file" },
  ],
  run: admin,
};

interface Request extends ParsedArguments {
  readonly name: string;
  readonly file: string | undefined;
  readonly io: CliIo;
  readonly security: Security;
}

const ACTIONS: Readonly<Record<string, (request: Request) => Promise<number>>> = { token, remove };

async function admin(args: ParsedArguments, io: CliIo): Promise<number> {
  const [word = "", name = ""] = args.words;
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) {
    return refuse(io, `${quote(word)} is none of ${Object.keys(ACTIONS).join(", ")}`);
  }
  // Only here, so that the other commands do not wait for it to be loaded.
  const security = await import("../security/mod.ts");
  return await action({ ...args, name, file: args.values.get("file")?.[0], io, security });
}

async function token(request: Request): Promise<number> {
  const { name, file, io, security, values } = request;
  const fault = security.tokenNameFault(name);
  if (fault !== null) return refuse(io, fault);
  const written = values.get("role")?.[0];
  const role = security.ROLES.find((known) => known === written);
  if (role === undefined) return refuse(io, `--role wants one of ${security.ROLES.join(", ")}`);
  const made = security.newToken();
  const line = await security.tokenLine({ name, role, token: made });
  if (file === undefined) {
    io.out(`token  ${made}\nline   ${line}\n`);
    return EXIT_CODE.ok;
  }
  const code = await edit({ ...request, file, mayCreate: true }, (text) => {
    const end = text === "" || text.endsWith("\n") ? "" : "\n";
    return { text: `${text}${end}${line}\n` };
  });
  if (code !== EXIT_CODE.ok) return code;
  io.out(`${made}\n`);
  io.err(`${file}: added a token of ${quote(name)} with the role ${role}\n`);
  return code;
}

async function remove(request: Request): Promise<number> {
  const { name, file, io } = request;
  if (file === undefined) return refuse(io, "remove wants --file");
  let count = 0;
  const code = await edit({ ...request, file, mayCreate: false }, (text) => {
    const lines = text.split("\n");
    const rest = lines.filter((line) => !line.trimStart().startsWith(`${name}:`));
    count = lines.length - rest.length;
    if (count === 0 || name === "cert") return { problem: `there is no token of ${quote(name)}` };
    return { text: rest.join("\n") };
  });
  if (code === EXIT_CODE.ok) io.out(`${file}: removed ${count} of ${quote(name)}\n`);
  return code;
}

/** Changes the file, only if it and what becomes of it are without mistakes. */
async function edit(
  { file, io, security, mayCreate }: Request & { file: string; mayCreate: boolean },
  change: (text: string) => Edit,
): Promise<number> {
  let broken = false;
  function isSound(text: string): boolean {
    const parsed = security.AdminTokens.parse(text);
    if (parsed.ok) return true;
    broken = true;
    for (const diagnostic of parsed.diagnostics) io.err(formatDiagnostic(file, diagnostic));
    return false;
  }
  const problem = await editSecretFile(file, {
    lengthMax: security.ADMIN_TOKENS_LENGTH_MAX,
    mayCreate,
    edit: (text) => {
      if (!isSound(text)) return { problem: "it has mistakes" };
      const changed = change(text);
      if ("problem" in changed || isSound(changed.text)) return changed;
      return { problem: "it would have mistakes" };
    },
  });
  if (problem === undefined) return EXIT_CODE.ok;
  if (!broken) io.err(`Cannot use tokens file: ${file}: ${problem}\n`);
  return EXIT_CODE.config;
}

function refuse(io: CliIo, problem: string): number {
  io.err(`Cannot run relayq admin: ${problem}\nTry "relayq admin --help".\n`);
  return EXIT_CODE.usage;
}
