/** What the broker and its tests are made of besides their own sources, from `deno.lock`. */
import deno from "../../deno.json" with { type: "json" };
import { must } from "./run.ts";

const ROOT = new URL("../../", import.meta.url);

/** A package of npm, as the lock file has it. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and the hash in base64. */
  readonly integrity: string;
  /** Of `name@version`. */
  readonly dependencies: readonly string[];
  /** Whether it is in the binary; the others are for tests and scripts. */
  readonly shipped: boolean;
}

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { integrity: string; dependencies?: readonly string[] }>>;
}

/** All packages of the lock file, by `name@version`. */
export async function lockedPackages(): Promise<Map<string, LockedPackage>> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const shipped = closure(lock, await shippedRoots());
  const packages = new Map<string, LockedPackage>();
  for (const [key, { integrity, dependencies = [] }] of Object.entries(lock.npm)) {
    const at = key.indexOf("@", 1);
    packages.set(key, {
      name: key.slice(0, at),
      version: key.slice(at + 1).replace(/_.*$/, ""),
      integrity,
      dependencies: dependencies.map((dependency) => keyOf(lock, dependency)),
      shipped: shipped.has(key),
    });
  }
  return packages;
}

/** `name@version` of the packages that `main.ts` and `src/` import themselves. */
export async function shippedRoots(): Promise<Set<string>> {
  const imports: Readonly<Record<string, string>> = deno.imports;
  const roots = new Set<string>();
  for await (const path of sources("src/")) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, name] of text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)"([^"]+)"/g)) {
      // By its whole name, or by the beginning that a key with a slash at its end gives.
      const key = Object.keys(imports).find((key) =>
        key === name || key.endsWith("/") && name!.startsWith(key)
      );
      const target = key === undefined ? "" : imports[key]!;
      const [, found] = /^npm:\/?((?:@[^/]+\/)?[^/]+)/.exec(target) ?? [];
      if (found !== undefined) roots.add(found);
    }
  }
  return roots;
}

/** The licence of each package, as its own `package.json` in the cache of npm packages says. */
export async function licences(
  packages: ReadonlyMap<string, LockedPackage>,
): Promise<Map<string, string>> {
  const args = ["info", "--json"];
  const info = JSON.parse(await must(Deno.execPath(), { args, limitMs: 60_000 }));
  const caches: string[] = [];
  for await (const { name } of Deno.readDir(info.npmCache)) caches.push(`${info.npmCache}/${name}`);
  const found = new Map<string, string>();
  for (const [key, { name, version }] of packages) {
    for (const cache of caches) {
      const licence = await declared(`${cache}/${name}/${version}/package.json`);
      if (licence !== null) found.set(key, licence);
    }
    if (!found.has(key)) {
      throw new Error(
        `Cannot find licence of ${key}: not in ${info.npmCache}; run deno task check`,
      );
    }
  }
  return found;
}

async function declared(path: string): Promise<string | null> {
  try {
    const { license } = JSON.parse(await Deno.readTextFile(path));
    return typeof license === "string" ? license : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function closure(lock: Lock, roots: Iterable<string>): Set<string> {
  const reached = new Set<string>();
  const open = [...roots].map((root) => keyOf(lock, root));
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    for (const next of lock.npm[key]!.dependencies ?? []) open.push(keyOf(lock, next));
  }
  return reached;
}

/** Where there is only one version of a package the lock file leaves it out. */
function keyOf(lock: Lock, dependency: string): string {
  if (dependency in lock.npm) return dependency;
  const keys = Object.keys(lock.npm).filter((key) =>
    key.slice(0, key.indexOf("@", 1)) === dependency
  );
  if (keys.length !== 1) throw new Error(`Cannot read deno.lock: ${dependency} is not one package`);
  return keys[0]!;
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (/\.[jt]s$/.test(name) && !name.endsWith(".d.ts")) yield folder + name;
  }
}
