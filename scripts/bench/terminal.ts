/** Output of the rig: figures to stdout, progress to stderr. */

const encoder = new TextEncoder();

/** Writes a line to stdout. */
export function say(line: string): void {
  write(Deno.stdout, line);
}

/** Writes a line to stderr. */
export function tell(line: string): void {
  write(Deno.stderr, line);
}

function write(to: { writeSync(bytes: Uint8Array): number }, line: string): void {
  const bytes = encoder.encode(line + "\n");
  let written = 0;
  while (written < bytes.length) written += to.writeSync(bytes.subarray(written));
}
