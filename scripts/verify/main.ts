/**
 * `deno task verify`: proves the state machines that ship, explores the core and the models of
 * concurrency, fuzzes, tests the tests, and prints one table.
 * Ends with 1 if anything is violated or a tool is missing, 2 for a wrong command line.
 *
 *   --quick          the bounded version for CI
 *   --only NAME,...  these sections only
 *   --smt FOLDER     write what Z3 is asked to files of SMT-LIB, for another solver
 *   --list-mutants   print every mutant of the proofs, with the proofs that fail for it
 */
import { parseArgs } from "@std/cli";
import { say, tell } from "../bench/terminal.ts";
import { printTable } from "./_print_table.ts";
import {
  MissingTool,
  type VerifyOptions,
  type VerifyRow,
  type VerifySection,
} from "./verify_row.ts";

/** The sections, in the order in which they run. */
const SECTIONS: Readonly<Record<string, () => Promise<VerifySection>>> = {
  proofs: () => import("./proofs.ts"),
  exploration: () => import("./exploration.ts"),
  concurrency: () => import("./spin.ts"),
  fuzzing: () => import("./fuzzing.ts"),
  protocol: () => import("./protocol.ts"),
  mutation: () => import("./mutation.ts"),
  coverage: () => import("./coverage.ts"),
};

function chosen(only: string | undefined): string[] {
  if (only === undefined) return Object.keys(SECTIONS);
  const names = only.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) {
    tell(
      `Cannot verify: no section ${unknown.join(", ")}; there are ${
        Object.keys(SECTIONS).join(", ")
      }`,
    );
    Deno.exit(2);
  }
  return names;
}

async function rowsOf(name: string, options: VerifyOptions): Promise<VerifyRow[]> {
  const startedMs = performance.now();
  try {
    const section = await SECTIONS[name]!();
    return await section.run(options);
  } catch (error) {
    const isMissing = error instanceof MissingTool;
    const seconds = (performance.now() - startedMs) / 1000;
    return [{
      section: name,
      name: isMissing ? "not run" : "broke off",
      tool: isMissing ? error.tool : "",
      size: "",
      seconds,
      ok: false,
      detail: isMissing ? error.message : String(error instanceof Error ? error.stack : error),
    }];
  }
}

const flags = parseArgs(Deno.args, {
  boolean: ["quick", "list-mutants"],
  string: ["only", "smt"],
  unknown: (argument: string) => {
    tell(`Cannot verify: unknown argument ${argument}`);
    Deno.exit(2);
  },
});
const smtFolder = flags["smt"] as string | undefined;
const options: VerifyOptions = {
  quick: flags["quick"] === true,
  listMutants: flags["list-mutants"] === true,
  ...smtFolder === undefined ? {} : { smtFolder },
};
const rows: VerifyRow[] = [];
for (const name of chosen(flags["only"] as string | undefined)) {
  say(`${name} …`);
  rows.push(...await rowsOf(name, options));
}
printTable(rows);
const failed = rows.filter(({ ok }) => !ok).length;
say(failed === 0 ? `${rows.length} of ${rows.length} hold` : `${failed} FAILED`);
if (failed > 0 || rows.length === 0) Deno.exitCode = 1;
