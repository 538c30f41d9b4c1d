import type { Diagnostic } from "../config/mod.ts";

/** Characters that act on a terminal, or turn the text around them; a client may send them. */
// deno-lint-ignore no-control-regex -- they are what this is about
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Quotes what somebody else wrote, so that it cannot be taken for the message's own words. */
export function quote(text: string): string {
  return asJson(text);
}

/** JSON on one line that is safe to look at. */
export function asJson(value: unknown): string {
  return JSON.stringify(value).replace(
    HIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text with a sign in the place of each character that is not to be seen, but for those in `kept`. */
export function printable(text: string, kept = ""): string {
  return text.replace(HIDDEN, (character) => kept.includes(character) ? character : "\ufffd");
}

/** One line for one diagnostic, in the form that editors jump to. */
export function formatDiagnostic(
  file: string,
  { line, column, message, suggestion }: Omit<Diagnostic, "key">,
): string {
  return `${file}:${line}:${column}: ${message}${formatSuggestion(suggestion)}\n`;
}

/** What to put behind a message that may have a suggestion. */
export function formatSuggestion(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
}
