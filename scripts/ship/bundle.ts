/**
 * Makes of the sources the few files that a binary holds: `main.mjs` and a file for each worker, with
 * fixed names and times, so that the same sources give the same bytes. What is imported as text, as
 * the files of the dashboard are, is in `main.mjs`.
 */
import { must } from "./run.ts";
import { BUILD } from "../../src/cli/mod.ts";

const ROOT = new URL("../../", import.meta.url);
const BUNDLE_MS_MAX = 180_000;
/** The one way in which sources name a module that is not imported. */
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

/** Makes the bundle and gives the names of the workers in it. */
export async function makeBundle({ directory, commit }: BundleOptions): Promise<string[]> {
  const beside = await filesBeside();
  await bundle("main.ts", `${directory}/${ENTRY}`);
  for (const [name, source] of beside) await bundle(source, `${directory}/${bundled(name)}`);
  await stamp(`${directory}/${ENTRY}`, { beside, commit });
  for (const name of [ENTRY, ...[...beside.keys()].map(bundled)]) {
    await settle(`${directory}/${name}`);
  }
  return [...beside.keys()].map(bundled).toSorted();
}

/**
 * Workers that the sources name by `new URL("./….ts", import.meta.url)`: their names there, and their
 * paths from the root. In the bundle they stand beside its entry, wherever they were.
 */
export async function filesBeside(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const path of sources("src/")) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, name] of text.matchAll(BESIDE)) {
      if (!/^\.\/.*\.ts$/.test(name!)) {
        throw new Error(`Cannot bundle ${path}: "${name}" is no worker; import it as text`);
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

/** The file system of a binary keeps times and the right to run: they must not differ. */
async function settle(path: string): Promise<void> {
  await Deno.chmod(path, 0o644);
  await Deno.utime(path, 0, 0);
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) yield folder + name;
  }
}
