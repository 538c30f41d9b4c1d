/** Writing the capture of Sparkplug's messages. */

/** Entries of a capture that are written before others get their turn. */
const SLICE_ENTRIES = 64;

/** Replaces a file by these parts, slice after slice; what was there stays until all is written. */
export async function replaceFile(path: string, parts: Iterable<string>): Promise<void> {
  const beside = `${path}.new`;
  const file = await Deno.open(beside, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    let slice = "";
    let count = 0;
    for (const part of parts) {
      slice += part;
      if (++count % SLICE_ENTRIES !== 0) continue;
      await writeAll(file, slice);
      slice = "";
    }
    await writeAll(file, slice);
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(beside, path);
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}
