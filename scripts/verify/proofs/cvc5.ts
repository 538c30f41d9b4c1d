/** A second solver, written by others, is asked the same. */
import { MissingTool } from "../verify_row.ts";

/** What the second solver said. */
export interface SecondOpinion {
  /** Questions that were answered. */
  readonly answers: number;
  /** Answers that were not those that there must be, in words. */
  readonly differences: readonly string[];
}

/** The version, as `cvc5 1.0.3`. Throws `MissingTool` without cvc5. */
export async function cvc5Version(): Promise<string> {
  const output = await runCvc5(["--version"], "");
  return `cvc5 ${/version (\d[\d.]*)/.exec(output)?.[1] ?? "?"}`;
}

/** Asks cvc5 what a text of `proofText` asks. */
export async function askCvc5(text: string): Promise<SecondOpinion> {
  const questions = [...text.matchAll(/^; (.*): must be (sat|unsat)$/gm)];
  const output = await runCvc5(["--incremental", "--lang=smt2"], text);
  const answers = output.trim().split("\n");
  const differences = questions.flatMap(([, name, expected], i) =>
    answers[i] === expected ? [] : [`${name}: ${answers[i] ?? "no answer"}, not ${expected}`]
  );
  if (answers.length > questions.length) differences.push(`more than asked: ${answers.at(-1)}`);
  return { answers: questions.length, differences };
}

async function runCvc5(args: readonly string[], input: string): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    const streams = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
    child = new Deno.Command("cvc5", { args: [...args], ...streams }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new MissingTool("cvc5", "cvc5");
    throw error;
  }
  const output = child.output();
  const writer = child.stdin.getWriter();
  try {
    if (input !== "") await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    // It has ended without reading everything: what it said is not what it was asked.
  }
  return new TextDecoder().decode((await output).stdout);
}
