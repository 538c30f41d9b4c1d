/**
 * Writes all of a text or of bytes, in as many pieces as the stream takes. A reader that has gone
 * away, as in `relayq init | head`, is no error: what it did not want is dropped. Gives false then.
 */
export function writeFully(
  stream: { writeSync(bytes: Uint8Array): number },
  content: string | Uint8Array,
): boolean {
  let rest = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}
