/**
 * Another machine's runtime, and what it needs to run here under emulation: Deno for aarch64 from npm,
 * Debian's C library for arm64, both kept outside the repository.
 */
import { must, run } from "./run.ts";

const PACKAGE = "@deno/linux-arm64-glibc";
const LIBRARIES = ["libc6", "libgcc-s1"];
const FETCH_MS_MAX = 300_000;
const UNPACK_MS_MAX = 60_000;

/** How programs of the other machine are run here. */
export interface Emulated {
  /** Words in front of the runtime's own arguments. */
  readonly command: readonly string[];
  readonly version: string;
}

/** Fetches what is not in `cache` yet; `say` is told what that is. */
export async function emulatedDeno(
  cache: string,
  { wanted, say }: { wanted: string; say: (text: string) => void },
): Promise<Emulated> {
  const emulator = "qemu-aarch64-static";
  try {
    await must(emulator, { args: ["--version"], limitMs: UNPACK_MS_MAX });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot emulate aarch64: no ${emulator}; Debian has it in qemu-user-static`);
  }
  await Deno.mkdir(cache, { recursive: true });
  const version = await offered(cache, { wanted, say });
  const deno = `${cache}/deno-${version}`;
  if (!await isThere(deno)) await fetchDeno(cache, { version, deno, say });
  const root = `${cache}/root`;
  if (!await isThere(root)) await fetchLibraries(cache, { root, say });
  return { command: [emulator, "-L", root, deno], version };
}

/** The version that is wanted, or else the last one of the same minor version. */
async function offered(
  cache: string,
  { wanted, say }: { wanted: string; say: (text: string) => void },
): Promise<string> {
  if (await isThere(`${cache}/deno-${wanted}`)) return wanted;
  const args = ["view", PACKAGE, "versions", "--json"];
  const versions: unknown = JSON.parse(await must("npm", { args, limitMs: FETCH_MS_MAX }));
  const list = Array.isArray(versions) ? versions.map(String) : [];
  if (list.includes(wanted)) return wanted;
  const minor = wanted.slice(0, wanted.lastIndexOf(".") + 1);
  const near = list.filter((version) => version.startsWith(minor)).map((version) =>
    Number(version.slice(minor.length))
  ).filter(Number.isInteger);
  if (near.length === 0) throw new Error(`Cannot fetch ${PACKAGE}: npm has no ${minor}x of it`);
  const version = minor + Math.max(...near);
  say(`npm has no ${PACKAGE} ${wanted}: ${version} is taken in its place`);
  return version;
}

async function fetchDeno(
  cache: string,
  { version, deno, say }: { version: string; deno: string; say: (text: string) => void },
): Promise<void> {
  say(`fetching ${PACKAGE} ${version} from npm`);
  const work = await Deno.makeTempDir({ dir: cache, prefix: "fetch-" });
  try {
    // npm compares the hash of what it gets.
    const pack = { args: ["pack", `${PACKAGE}@${version}`], cwd: work, limitMs: FETCH_MS_MAX };
    const name = (await must("npm", pack)).trim().split("\n").at(-1)!;
    await must("tar", { args: ["-xzf", name], cwd: work, limitMs: UNPACK_MS_MAX });
    await Deno.chmod(`${work}/package/deno`, 0o755);
    await Deno.rename(`${work}/package/deno`, deno);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** With lists of its own, so that nothing changes in what this machine knows and has. */
async function fetchLibraries(
  cache: string,
  { root, say }: { root: string; say: (text: string) => void },
): Promise<void> {
  say(`fetching ${LIBRARIES.join(", ")} for arm64 from Debian`);
  const work = await Deno.makeTempDir({ dir: cache, prefix: "fetch-" });
  try {
    for (const name of ["lists/partial", "archives/partial", "unpacked"]) {
      await Deno.mkdir(`${work}/${name}`, { recursive: true });
    }
    const settings = [
      "APT::Architecture=arm64",
      "APT::Architectures=arm64",
      `Dir::State=${work}`,
      "Dir::State::status=/dev/null",
      `Dir::Cache=${work}`,
      "APT::Sandbox::User=root",
    ].flatMap((setting) => ["-o", setting]);
    // One of several lists may be out of step with its signature: apt leaves that one out.
    const limitMs = FETCH_MS_MAX;
    await run("apt-get", { args: [...settings, "update", "-qq"], cwd: work, limitMs });
    await must("apt-get", { args: [...settings, "download", ...LIBRARIES], cwd: work, limitMs });
    for await (const { name } of Deno.readDir(work)) {
      if (!name.endsWith(".deb")) continue;
      const args = ["-x", name, "unpacked"];
      await must("dpkg-deb", { args, cwd: work, limitMs: UNPACK_MS_MAX });
    }
    await Deno.rename(`${work}/unpacked`, root);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
