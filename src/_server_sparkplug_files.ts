/** What is kept of Sparkplug in files: the last bdSeq of every Edge Node, and the capture. */

/** Longest file of bdSeqs that is read: one entry takes some ten bytes. */
const BDSEQ_BYTES_MAX = 67_108_864;
/** Entries of a capture that are written before others get their turn. */
const SLICE_ENTRIES = 64;

/** Reads the last bdSeq by `G/E`; a file that cannot be read counts as none. */
export async function readBdSeqs(
  path: string,
): Promise<{ readonly known: ReadonlyMap<string, number>; readonly problem: string | null }> {
  const known = new Map<string, number>();
  try {
    const { size } = await Deno.stat(path);
    if (size > BDSEQ_BYTES_MAX) return { known, problem: "it is too long" };
    const entries: unknown = JSON.parse(await Deno.readTextFile(path));
    for (const [key, value] of Object.entries(entries ?? {})) {
      if (Number.isInteger(value) && value >= 0 && value <= 255) known.set(key, value);
    }
    return { known, problem: null };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { known, problem: null };
    return { known, problem: error instanceof Error ? error.message : String(error) };
  }
}

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
