/** Reads files that somebody else may put in their place at any time. */

/** Bytes that are decoded before the event loop turns. */
const DECODED_BYTES = 1_048_576;

/**
 * The bytes of a regular file. Throws an Error that says why not: whoever opens a FIFO waits for a
 * writer, in the worst case for ever, and a device never ends.
 */
export async function readFile(path: string, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  checkFile(await Deno.stat(path), bytesMax);
  using file = await Deno.open(path);
  // It may be another one than a moment ago.
  const info = await file.stat();
  checkFile(info, bytesMax);
  const bytes = new Uint8Array(Math.min(info.size, bytesMax) + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
  }
  throw new Error("it grew while it was read");
}

/** The same as text, which has to be UTF-8. */
export async function readTextFile(path: string, bytesMax: number): Promise<string> {
  const bytes = await readFile(path, bytesMax);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += DECODED_BYTES) {
    parts.push(decoder.decode(bytes.subarray(at, at + DECODED_BYTES), { stream: true }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return parts.join("") + decoder.decode();
}

function checkFile({ isFile, isDirectory, size }: Deno.FileInfo, bytesMax: number): void {
  if (!isFile) throw new Error(`it is ${isDirectory ? "a directory" : "not a regular file"}`);
  if (size > bytesMax) throw new Error(`it has ${size} bytes, more than ${bytesMax}`);
}
