/**
 * Runs the conformance tests and prints, statement by statement of MQTT 3.1.1, how many tests prove
 * it. Exits with 1 if a test fails, a statement is not tested or a test carries an unknown tag.
 */
import { STATEMENTS } from "../tests/conformance/statements.ts";
import { conformanceReport } from "./_conformance_report.ts";
import { parseJunit } from "./_conformance_junit.ts";

const TEST_ARGUMENTS = [
  "test",
  "--no-prompt",
  "--allow-net=127.0.0.1",
  "--allow-read",
  "--allow-write",
  "--reporter=junit",
  "tests/conformance",
];

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const command = new Deno.Command("deno", { args: TEST_ARGUMENTS, stderr: "piped" });
  const { code, stdout, stderr } = await command.output();
  const results = parseJunit(new TextDecoder().decode(stdout));
  const failed = results.some(({ outcome }) => outcome === "failed");
  if (results.length === 0 || (code !== 0 && !failed)) {
    const problem = `Cannot run conformance tests: deno test ended with ${code}\n`;
    await write(Deno.stderr, problem + new TextDecoder().decode(stderr));
    return 1;
  }
  const { text, passed } = conformanceReport(STATEMENTS, results);
  await write(Deno.stdout, text);
  return passed ? 0 : 1;
}

async function write(stream: typeof Deno.stdout, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
}
