/** Z3 as a process: a script in, its answers out. */
import { MissingTool } from "../verify_row.ts";

/** How long Z3 may think about one question. */
const QUESTION_MS = 60_000;

/** An answer of Z3, by the name of its question. */
export interface Answer {
  readonly verdict: "sat" | "unsat" | "unknown";
  /** Names whose terms are false in the model that was found. */
  readonly falsified: readonly string[];
}

/** The version, as `Z3 4.8.12`. Throws `MissingTool` without Z3. */
export async function z3Version(): Promise<string> {
  const { stdout } = await startZ3(["--version"]).spawn().output();
  return new TextDecoder().decode(stdout).replace("version ", "").split(" -")[0]!.trim();
}

/** A question: the terms to be asked whether they can hold together, in SMT-LIB. */
export interface Question {
  readonly name: string;
  readonly declarations: readonly string[];
  readonly assertions: readonly string[];
  /** Names of Boolean constants to be told of where the answer is sat. */
  readonly watched: readonly string[];
}

/** Asks questions, each with the same text before it. */
export async function askZ3(
  preamble: string,
  questions: readonly Question[],
): Promise<Map<string, Answer>> {
  const lines = [`(set-option :timeout ${QUESTION_MS})`, preamble];
  for (const question of questions) {
    const { name, watched } = question;
    lines.push("(push 1)", ...textOf(question), `(echo "? ${name}")`, "(check-sat)");
    if (watched.length > 0) lines.push(`(get-value (${watched.join(" ")}))`);
    lines.push("(pop 1)");
  }
  return parseAnswers(await run(lines.join("\n")), questions);
}

/** The same questions for any solver, each with the answer that it must have. */
export function smtLibOf(
  preamble: string,
  questions: readonly { readonly question: Question; readonly expects: string }[],
): string {
  const lines = ["(set-logic ALL)", preamble];
  for (const { question, expects } of questions) {
    lines.push("(push 1)", ...textOf(question), `; ${question.name}: must be ${expects}`);
    lines.push(`(set-info :status ${expects})`, "(check-sat)", "(pop 1)");
  }
  return lines.join("\n") + "\n";
}

function textOf({ declarations, assertions }: Question): string[] {
  return [...declarations, ...assertions.map((text) => `(assert ${text})`)];
}

async function run(script: string): Promise<string> {
  const child = startZ3(["-smt2", "-in"]).spawn();
  const writer = child.stdin.getWriter();
  const output = child.output();
  await writer.write(new TextEncoder().encode(script + "\n(exit)\n"));
  await writer.close();
  return new TextDecoder().decode((await output).stdout);
}

function startZ3(args: readonly string[]): Deno.Command {
  const isThere = (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/z3`).isFile;
    } catch {
      return false;
    }
  });
  if (!isThere) throw new MissingTool("z3", "z3");
  return new Deno.Command("z3", { args: [...args], stdin: "piped", stdout: "piped" });
}

function parseAnswers(output: string, questions: readonly Question[]): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const part of output.split(/^\? /m).slice(1)) {
    const [name, verdict, ...rest] = part.split("\n");
    const isVerdict = verdict === "sat" || verdict === "unsat" || verdict === "unknown";
    // Values of a model that there is not are no mistake.
    const wrong = rest.find((line) => line.startsWith("(error") && !line.includes("model is not"));
    if (!isVerdict || wrong !== undefined) {
      throw new Error(`Cannot understand Z3 on "${name}": ${wrong ?? verdict}`);
    }
    const falsified = [...rest.join("\n").matchAll(/\((\S+) false\)/g)].map((match) => match[1]!);
    answers.set(name!, { verdict, falsified: verdict === "sat" ? falsified : [] });
  }
  const missing = questions.find(({ name }) => !answers.has(name));
  if (missing !== undefined) {
    throw new Error(`Cannot ask Z3 "${missing.name}": ${output.split("\n")[0]}`);
  }
  return answers;
}
