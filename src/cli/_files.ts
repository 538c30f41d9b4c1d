import { CONFIG_LENGTH_MAX } from "../config/mod.ts";

/** The text of a file, or why it could not be had. */
export type FileReading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** Reads a configuration file. */
export function readConfigFile(path: string): Promise<FileReading> {
  return readText(path, CONFIG_LENGTH_MAX);
}

/**
 * Reads a UTF-8 file; stops where it is longer than `lengthMax` code units in any case, so that a
 * device or a pipe cannot fill the memory.
 */
export async function readText(path: string, lengthMax: number): Promise<FileReading> {
  let bytes: Uint8Array | undefined;
  try {
    using file = await Deno.open(path, { read: true });
    bytes = await readAtMost(file, 4 * lengthMax + 4);
  } catch (error) {
    return { ok: false, problem: fileProblem(error) };
  }
  if (bytes === undefined) return { ok: false, problem: "the file is too long" };
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, problem: "the file is not UTF-8" };
  }
}

/** Writes a file that must not exist yet. Gives the problem, or `undefined` if it was written. */
export async function writeNewFile(path: string, text: string): Promise<string | undefined> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

/** All bytes of the file, or `undefined` if there are more than `bytesMax`. */
async function readAtMost(file: Deno.FsFile, bytesMax: number): Promise<Uint8Array | undefined> {
  let buffer = new Uint8Array(65_536);
  let length = 0;
  for (;;) {
    const count = await file.read(buffer.subarray(length));
    if (count === null) return buffer.subarray(0, length);
    length += count;
    if (length > bytesMax) return undefined;
    if (length < buffer.length) continue;
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer);
    buffer = larger;
  }
}

/** Why a file could not be used, for people. */
export function fileProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.AlreadyExists) return "the file exists already";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is no directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
