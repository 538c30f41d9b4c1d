/** Any text as access file, acl_file or password file: a value or diagnostics that fit the text. */
import {
  AccessRules,
  type FileDiagnostic,
  importMosquittoAcl,
  type ParsedFile,
  PasswordFile,
  type RuleTemplates,
} from "../src/security/mod.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const HASH = "A".repeat(85) + "w==";
const ACCESS_PIECES = [
  ..."user|group|client|certificate|anonymous|everyone|authenticated|members|use".split("|"),
  ...'allow|deny|publish|subscribe,read|all|read,|#|+|a/b|a/#|%u|%c/x|%%|%|g| |\t|/|"|\\'.split(
    "|",
  ),
  ..."topic|pattern|readwrite|write|$SYS/#|\n|\n|\n|\n|\r\n|\u0000|\ud800|é|\u202e|t".split("|"),
];
const PASSWORD_PIECES = [
  ..."alice|bob|:|:|$6$|$7$|101|0|$relayq$|sha256|pbkdf2-sha256|$|$|YWJj|=|\n|\n|\r\n|#| ".split(
    "|",
  ),
  "A".repeat(43) + "=",
  HASH,
  `u:$6$YWJj$${HASH}`,
];
const TEMPLATES: RuleTemplates = new Map([["t", {
  parameters: ["NAME"],
  expand: ([name = ""]) => [{ action: "allow", operations: ["publish"], filter: `t/${name}/#` }],
}]]);

/** One text for each reader. */
export const ACCESS_FILES: Target = {
  name: "access_files",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const access = randomText(random, ACCESS_PIECES);
    const password = randomText(random, PASSWORD_PIECES);
    return attempt(access, checkAccess) ?? attempt(access, checkImport) ??
      attempt(password, (text) => fault(PasswordFile.parse(text), text));
  },
};

function checkAccess(text: string): string | null {
  const parsed = AccessRules.parse(text, { templates: TEMPLATES });
  if (parsed.ok) parsed.value.warnings();
  return fault(parsed, text);
}

/** What comes out of an import is a file of ours. */
function checkImport(text: string): string | null {
  const imported = importMosquittoAcl(text);
  if (!imported.ok) return fault(imported, text);
  const again = AccessRules.parse(imported.value.text);
  if (again.ok) return null;
  return `import is refused: ${JSON.stringify(again.diagnostics)}\n${imported.value.text}`;
}

function fault(parsed: ParsedFile<unknown>, text: string): string | null {
  if (parsed.ok) return null;
  if (parsed.diagnostics.length === 0) return "refused without a reason";
  const lines = text.split("\n");
  const wrong = parsed.diagnostics.find((diagnostic) => !fits(diagnostic, lines));
  return wrong === undefined ? null : `no such place: ${JSON.stringify(wrong)}`;
}

function fits({ line, column, message }: FileDiagnostic, lines: readonly string[]): boolean {
  const written = lines[line - 1];
  return written !== undefined && column >= 1 && column <= written.length + 1 &&
    !message.includes("\n");
}

function randomText(random: Random, pieces: readonly string[]): string {
  let text = "";
  for (let i = random.below(40); i > 0; i--) {
    text += random.pick(pieces) + (random.oneIn(2) ? " " : "");
  }
  return text;
}

function attempt(text: string, check: (text: string) => string | null): Failure | null {
  let problem: string | null;
  try {
    problem = check(text);
  } catch (error) {
    problem = `thrown: ${error instanceof Error ? error.stack : error}`;
  }
  return problem === null ? null : { problem, input: new TextEncoder().encode(text) };
}
