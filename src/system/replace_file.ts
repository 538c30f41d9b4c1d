/** Files that are replaced as a whole: whoever reads them sees the old one or the new one. */

/**
 * Writes a file (mode 0600) in the place of the one that is there, durably: what was there is whole
 * until the new one is. Rejects where the file system does not let it; not to be called for the same
 * path before it is done.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  {
    using file = await Deno.open(beside, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(beside, path);
  using directory = await Deno.open(path.slice(0, path.lastIndexOf("/") + 1) || ".", {
    read: true,
  });
  await directory.sync();
}
