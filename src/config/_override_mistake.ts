/** What another room has to say of a value, at its place in the file. */
import type { CheckedDocument } from "./_check_document.ts";
import type { TomlProblem } from "./_toml_tree.ts";
import { nearestName } from "./nearest_name.ts";

/** What is wrong with `sparkplug.overrides`. */
export interface OverrideMistake {
  readonly problem: string;
  /** Where in the value the word begins that is wrong. */
  readonly at: number;
  /** The part of the word that is not known, and what is; empty where that is not the problem. */
  readonly unknown: string;
  readonly known: readonly string[];
}

/** Knows what `sparkplug.overrides` may say; null if all of it is right. */
export type OverrideCheck = (overrides: string) => OverrideMistake | null;

/** Has the overrides checked by who knows them, if they are text at all. */
export function checkOverrides(
  document: CheckedDocument,
  check: OverrideCheck,
): TomlProblem | null {
  const key = "sparkplug.overrides";
  const written = document.get("sparkplug")?.[0]?.values.get("overrides");
  if (written?.valid !== true || written.offset === undefined) return null;
  const mistake = check(String(written.value));
  if (mistake === null) return null;
  const { problem, at, unknown, known } = mistake;
  const suggestion = unknown === "" ? undefined : nearestName(unknown, known);
  // Only where the text stands as it is can a place in it be shown.
  const isPlain = written.raw.slice(1, -1) === written.value;
  return {
    offset: written.offset + (isPlain ? 1 + at : 0),
    key,
    message: `${key}: ${problem}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
