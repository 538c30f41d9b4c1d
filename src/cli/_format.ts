import type { Diagnostic } from "../config/mod.ts";

/** Quotes what the user wrote, so that it cannot be taken for the message's own words. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** One line for one diagnostic, in the form that editors jump to. */
export function formatDiagnostic(
  file: string,
  { line, column, message, suggestion }: Diagnostic,
): string {
  return `${file}:${line}:${column}: ${message}${formatSuggestion(suggestion)}\n`;
}

/** What to put behind a message that may have a suggestion. */
export function formatSuggestion(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
}
