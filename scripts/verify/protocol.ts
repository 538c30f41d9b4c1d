/** The section "protocol": the named cases of MQTT and Sparkplug, each counted once. */
import { parseJunit, type TestResult } from "../_conformance_junit.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "protocol";
const CASES_MIN = 1_100;

/** What the cases are about, and the folders that hold them. */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  "MQTT 3.1.1: packets, and the core without sockets": [
    "tests/mqtt",
    "tests/broker",
    "tests/wire_cases",
  ],
  "MQTT 3.1.1: over sockets": ["tests/conformance", "tests/transport"],
  "Sparkplug B": ["tests/sparkplug"],
};
const PERMISSIONS = [
  "--allow-net=127.0.0.0/8,localhost,[::1]",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
];

/** Runs the tests; nothing with `quick`, for whoever is in a hurry has just run `deno task test`. */
export async function run({ quick }: VerifyOptions): Promise<VerifyRow[]> {
  if (quick) return [];
  const subjects: SubjectResults[] = [];
  for (const [name, folders] of Object.entries(SUBJECTS)) {
    const startedMs = performance.now();
    const results = await runTests(folders);
    subjects.push({ name, results, seconds: (performance.now() - startedMs) / 1000 });
  }
  return protocolRows(subjects);
}

/** The tests of one subject as they ended. */
export interface SubjectResults {
  readonly name: string;
  readonly results: readonly TestResult[];
  readonly seconds: number;
}

/** A row for each subject, and one for the number of cases in all. */
export function protocolRows(subjects: readonly SubjectResults[]): VerifyRow[] {
  const rows = subjects.map(({ name, results, seconds }): VerifyRow => {
    const bad = results.filter(({ outcome }) => outcome !== "passed");
    return {
      section: SECTION,
      name,
      tool: "deno test",
      size: `${distinct(results).size} named cases`,
      seconds,
      ok: results.length > 0 && bad.length === 0,
      ...bad.length === 0
        ? {}
        : { detail: bad.map(({ name, outcome }) => `${outcome}: ${name}`).join("; ") },
    };
  });
  const cases = distinct(subjects.flatMap(({ results }) => results)).size;
  rows.push({
    section: SECTION,
    name: `named cases in all, of those that differ in numbers only one: at least ${CASES_MIN}`,
    tool: "deno test",
    size: `${cases} named cases`,
    seconds: 0,
    ok: cases >= CASES_MIN,
  });
  return rows;
}

/** The names without their numbers, so that a loop that counts is one case. */
function distinct(results: readonly TestResult[]): ReadonlySet<string> {
  return new Set(results.map(({ name }) => name.replaceAll(TAG, "").replaceAll(/\d+/g, "#")));
}

/** A tag of a statement is part of the reason for a case, not of what it does. */
const TAG = /\s*\[[^\]]*\]/g;

async function runTests(folders: readonly string[]): Promise<TestResult[]> {
  const { stdout } = await new Deno.Command("deno", {
    args: [
      "test",
      "--quiet",
      "--frozen",
      "--no-prompt",
      ...PERMISSIONS,
      "--reporter=junit",
      ...folders,
    ],
    stderr: "inherit",
  }).output();
  return parseJunit(new TextDecoder().decode(stdout));
}
