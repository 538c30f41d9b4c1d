/**
 * Makes of the sources the few files that a binary holds: `main.mjs`, a file for each worker, and the
 * folders that the program reads at run time, all with fixed names and times, so that the same
 * sources give the same bytes.
 */
import { must } from "./run.ts";
import { BUILD } from "../../src/cli/mod.ts";

const ROOT = new URL("../../", import.meta.url);
const BUNDLE_MS_MAX = 180_000;
/** The one way in which sources name a file that is not imported. */
const BESIDE = /new URL\(\s*"([^"]+)",\s*import\.meta\.url\s*,?\s*\)/g;

/** The file that a program starts with. */
export const ENTRY = "main.mjs";

/** What a bundle is made of. */
export interface BundleOptions {
  /** Where the files go; it is there, and empty. */
  readonly directory: string;
  /** What `relayq version` tells of the sources. */
  readonly commit: string;
}

/** Makes the bundle and gives the names in it, besides the entry: workers, folders, files. */
export async function makeBundle({ directory, commit }: BundleOptions): Promise<string[]> {
  const beside = await filesBeside();
  await bundle("main.ts", `${directory}/${ENTRY}`);
  for (const [name, source] of beside) {
    if (name.endsWith(".ts")) await bundle(source, `${directory}/${bundled(name)}`);
    else await copy(new URL(source, ROOT), `${directory}/${name}`);
  }
  await stamp(`${directory}/${ENTRY}`, { beside, commit });
  await setTimes(directory);
  return [...beside.keys()].map(bundled).toSorted();
}

/**
 * Workers and folders that the sources name by `new URL("./…", import.meta.url)`: their names there,
 * and their paths from the root. In the bundle they stand beside its entry, wherever they were.
 */
export async function filesBeside(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const path of sources("src/")) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, name] of text.matchAll(BESIDE)) {
      if (!name!.startsWith("./")) {
        throw new Error(`Cannot bundle ${path}: "${name}" is not below the folder of its source`);
      }
      const source = new URL(name!, new URL(path, "file:///")).pathname.slice(1);
      const before = found.get(name!.slice(2));
      if (before !== undefined && before !== source) {
        throw new Error(`Cannot bundle ${path}: ${before} has the same name as ${source}`);
      }
      found.set(name!.slice(2), source);
    }
  }
  return found;
}

/** The names that a bundle's entry refers to and that must therefore be in it. */
export function namedBeside(bundle: string): string[] {
  const pattern = /new URL\("\.\/([^"]+)",import\.meta\.url\)/g;
  return [...new Set([...bundle.matchAll(pattern)].map(([, name]) => name!))].toSorted();
}

async function bundle(source: string, target: string): Promise<void> {
  const flags = ["--quiet", "--frozen", "--minify", "--platform", "deno", "--output", target];
  const args = ["bundle", ...flags, source];
  await must(Deno.execPath(), { args, cwd: ROOT.pathname, limitMs: BUNDLE_MS_MAX });
}

/** Puts in what only the build knows: the commit, and the names of the workers. */
async function stamp(
  path: string,
  { beside, commit }: { beside: ReadonlyMap<string, string>; commit: string },
): Promise<void> {
  let text = await Deno.readTextFile(path);
  const [before, after, ...more] = text.split(JSON.stringify(BUILD.commit));
  if (after === undefined || more.length > 0) throw new Error("Cannot stamp bundle: no one mark");
  text = before + JSON.stringify(commit) + after;
  for (const name of beside.keys()) {
    if (!name.endsWith(".ts")) continue;
    text = text.replaceAll(`new URL("./${name}"`, `new URL("./${bundled(name)}"`);
  }
  const absent = namedBeside(text).filter((name) =>
    ![...beside.keys()].map(bundled).includes(name)
  );
  if (absent.length > 0) throw new Error(`Cannot make bundle: it names ${absent.join(", ")}`);
  await Deno.writeTextFile(path, text);
}

function bundled(name: string): string {
  return name.replace(/\.ts$/, ".mjs");
}

/** Copies a file or a folder, without what only the compiler reads. */
async function copy(from: URL, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  const folder = from.href.endsWith("/") ? from.href : `${from.href}/`;
  for await (const { name } of Deno.readDir(from)) {
    if (/\.d\.ts$/.test(name)) continue;
    await copy(new URL(name, folder), `${to.replace(/\/$/, "")}/${name}`);
  }
}

/** The file system of a binary keeps times and the right to run: they must not differ. */
async function setTimes(directory: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) await setTimes(path);
    await Deno.chmod(path, isDirectory ? 0o755 : 0o644);
    await Deno.utime(path, 0, 0);
  }
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) yield folder + name;
  }
}
