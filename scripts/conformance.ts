/**
 * Runs the conformance tests and prints, statement by statement of MQTT 3.1.1 and of Sparkplug, how
 * many tests prove it. Exits with 1 if a test fails, a statement that shows on the wire is not tested
 * or a test carries an unknown tag.
 */
import { STATEMENTS } from "../tests/conformance/statements.ts";
import { SPARKPLUG_STATEMENTS } from "../tests/sparkplug/statements.ts";
import { conformanceReport } from "./_conformance_report.ts";
import { parseJunit, type TestResult } from "./_conformance_junit.ts";
import { sparkplugReport } from "./_sparkplug_report.ts";

const TEST_ARGUMENTS = [
  "test",
  "--no-prompt",
  "--allow-net=127.0.0.1",
  "--allow-read",
  "--allow-write",
  "--reporter=junit",
];
/** Tests of Sparkplug that kill a broker need a process for it. */
const PROCESS_ARGUMENTS = ["--allow-run", "--allow-env", "--allow-sys"];

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const mqtt = await runTests(["tests/conformance"]);
  const sparkplug = await runTests([...PROCESS_ARGUMENTS, "tests/sparkplug/wire"]);
  if (mqtt === null || sparkplug === null) return 1;
  const reports = [
    conformanceReport(STATEMENTS, mqtt),
    sparkplugReport(SPARKPLUG_STATEMENTS, sparkplug),
  ];
  await write(Deno.stdout, reports.map(({ text }) => text).join("\n\n"));
  return reports.every(({ passed }) => passed) ? 0 : 1;
}

/** How the tests ended; null, with the reason on standard error, if they could not be run. */
async function runTests(what: readonly string[]): Promise<TestResult[] | null> {
  const args = [...TEST_ARGUMENTS, ...what];
  const { code, stdout, stderr } = await new Deno.Command("deno", { args, stderr: "piped" })
    .output();
  const results = parseJunit(new TextDecoder().decode(stdout));
  const failed = results.some(({ outcome }) => outcome === "failed");
  if (results.length > 0 && (code === 0 || failed)) return results;
  const problem = `Cannot run conformance tests: deno test ended with ${code}\n`;
  await write(Deno.stderr, problem + new TextDecoder().decode(stderr));
  return null;
}

async function write(stream: typeof Deno.stdout, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
}
