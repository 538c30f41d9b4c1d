/**
 * Writes all of `text`, in as many pieces as the stream takes. A reader that has gone away, as in
 * `relayq init | head`, is no error: what it did not want is dropped.
 */
export function writeFully(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
