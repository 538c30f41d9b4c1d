/** What a mutant is: one small change of the source that some test should notice. */

/** One change; its number is its place in the list. */
export interface Mutant {
  /** Path from the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The kind of change, such as `comparison`. */
  readonly operator: string;
  readonly original: string;
  readonly replacement: string;
}

/** What became of it. */
export interface MutantOutcome {
  readonly mutant: Mutant;
  readonly result: "killed" | "timeout" | "survived" | "not covered";
  /** The test that noticed. */
  readonly killedBy: string;
}

/** Whether some test failed, or hung. */
export function isNoticed({ result }: MutantOutcome): boolean {
  return result === "killed" || result === "timeout";
}

/** One line for people. */
export function describeMutant({ file, line, operator, original, replacement }: Mutant): string {
  return `${file}:${line} ${operator}: ${oneLine(original)} -> ${oneLine(replacement)}`;
}

function oneLine(text: string): string {
  const short = text.replaceAll(/\s+/g, " ");
  return short.length <= 60 ? short : `${short.slice(0, 57)}...`;
}
