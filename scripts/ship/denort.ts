/** The runtime that a binary begins with, `denort`: where it comes from, and whether it fits. */
import { readElf } from "./elf.ts";
import type { Target } from "./targets.ts";

/** Where the command line and the environment say it is. */
export interface DenortSources {
  /** `--denort`. */
  readonly path: string | null;
  /** `--denort-dir`: a folder with one for each target. */
  readonly directory: string | null;
  /** `DENORT_BIN`. */
  readonly environment: string | null;
}

/** A runtime that was found, and who named it. */
interface Denort {
  readonly path: string;
  readonly source: string;
}

/** The names that a runtime may have in a folder for all targets. */
function denortNames(target: Target): readonly string[] {
  return [`denort-${target.name}`, `${target.name}/denort`];
}

/**
 * The runtime for a target that was given, or null where none was and `deno compile` may see for
 * itself. Throws where there is none, or one that does not fit: another machine, another version.
 */
export async function findDenort(
  target: Target,
  { sources, version }: { sources: DenortSources; version: string },
): Promise<string | null> {
  const found = await named(target, sources);
  if (found === null) {
    if (target.official) return null;
    throw new Error(howToProvide(target, { version, because: "none is offered for this machine" }));
  }
  const problem = await misfit(found.path, { target, version });
  if (problem === null) return found.path;
  throw new Error(
    howToProvide(target, { version, because: `${found.source} ${found.path}: ${problem}` }),
  );
}

/** What whoever reads it needs to know: the file, the version, and the ways to provide it. */
export function howToProvide(
  target: Target,
  { version, because }: { version: string; because: string },
): string {
  const file = `denort-${target.name}`;
  const origin = target.official
    ? `it is in ${file}.zip of the release v${version} of Deno`
    : `build it from the sources of Deno v${version}`;
  return `Cannot compile for ${target.name}: no runtime: ${because}
  It needs denort ${version} for ${target.name}; ${origin}.
  1. --denort PATH, or DENORT_BIN=PATH: the file itself, unpacked
  2. --denort-dir DIR: a folder that has it as ${denortNames(target).join(" or ")}
  README.md, "Building", says how it is made for machines for which none is offered.`;
}

async function named(target: Target, sources: DenortSources): Promise<Denort | null> {
  if (sources.path !== null) return { path: sources.path, source: "--denort" };
  if (sources.directory !== null) {
    for (const name of denortNames(target)) {
      const path = `${sources.directory}/${name}`;
      if (await exists(path)) return { path, source: "--denort-dir" };
    }
    const path = `${sources.directory}/${denortNames(target)[0]}`;
    return { path, source: "--denort-dir" };
  }
  if (sources.environment !== null) return { path: sources.environment, source: "DENORT_BIN" };
  return null;
}

/** Why a file is not the runtime of this target and version, or null. */
async function misfit(
  path: string,
  { target, version }: { target: Target; version: string },
): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no such file";
    return `cannot be read: ${error instanceof Error ? error.message : error}`;
  }
  const elf = readElf(bytes);
  if (elf === null) return "not an ELF file";
  if (elf.machine !== target.machine || elf.bits !== target.bits) {
    return `made for another machine (ELF machine ${elf.machine}, ${elf.bits} bits; ` +
      `wanted ${target.machine}, ${target.bits} bits)`;
  }
  return versionMisfit(bytes, version);
}

/**
 * The runtime of another machine cannot be asked, so its bytes are read: it introduces itself to
 * servers as `Deno/<version>`, or has the version as a word of its own.
 */
function versionMisfit(bytes: Uint8Array, version: string): string | null {
  const pattern = new RegExp(`(?<![0-9.])${version.replaceAll(".", "\\.")}(?![0-9])`);
  // Byte for byte, in parts that overlap: a string of 100 MB would be too much.
  const PART = 8_388_608;
  for (let at = 0; at < bytes.length; at += PART) {
    const part = bytes.subarray(at, at + PART + 64);
    if (pattern.test(new TextDecoder("latin1").decode(part))) return null;
  }
  return `not of version ${version}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
