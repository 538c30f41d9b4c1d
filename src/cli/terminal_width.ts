/** Characters of a line of the terminal that standard output is; null if it is none. */
export function terminalWidth(): number | null {
  if (!Deno.stdout.isTerminal()) return null;
  try {
    return Deno.consoleSize().columns;
  } catch {
    return null; // a terminal that does not say
  }
}
