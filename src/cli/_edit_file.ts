/** Files that are replaced as a whole: whoever reads them sees the old one or the new one. */
import { fileProblem, type FileReading, readText } from "./_files.ts";

/** The new text of a file, or why it stays as it is. */
export type Edit = { readonly text: string } | { readonly problem: string };

/** Modes that a secret may have: nothing for others, nothing but reading for the group. */
const SECRET_MODE = 0o640;

/**
 * Replaces a file that holds secrets by what `edit` makes of it (of "" if there is none), at once and
 * durably: written beside it, synced, renamed. A new file has mode 0600. One that is there keeps its
 * owner and group, so that root does not lock the broker out, and what of its mode a secret may have.
 * Two programs that do this at the same time take turns. Gives the problem, or undefined.
 */
export async function editSecretFile(
  path: string,
  options: { lengthMax: number; mayCreate: boolean; edit(text: string): Edit },
): Promise<string | undefined> {
  try {
    // Behind a symbolic link it is the file that changes, not the link.
    const target = await realPath(path);
    const directory = target.replace(/[^/]+$/, "") || ".";
    using lock = await Deno.open(directory, { read: true });
    await lock.lock(true);
    const before = await statOf(target);
    const reading: FileReading = before === null && options.mayCreate
      ? { ok: true, text: "" }
      : await readText(target, options.lengthMax);
    if (!reading.ok) return reading.problem;
    const edited = options.edit(reading.text);
    if ("problem" in edited) return edited.problem;
    await replace(target, edited.text, before);
    await lock.sync();
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

async function replace(
  path: string,
  text: string,
  before: Deno.FileInfo | null,
): Promise<void> {
  const beside = path.replace(/([^/]*)$/, `.$1.${crypto.randomUUID()}.tmp`);
  try {
    using file = await Deno.open(beside, { write: true, createNew: true, mode: 0o600 });
    if (before !== null) await inherit(beside, before);
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) {
      written += await file.write(bytes.subarray(written));
    }
    await file.sync();
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {}); // It may not be there; the error that counts is thrown.
    throw error;
  }
}

async function inherit(path: string, before: Deno.FileInfo): Promise<void> {
  const own = await Deno.stat(path);
  if (own.uid !== before.uid || own.gid !== before.gid) {
    await Deno.chown(path, before.uid, before.gid);
  }
  await Deno.chmod(path, ((before.mode ?? 0) & SECRET_MODE) | 0o600);
}

async function statOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
