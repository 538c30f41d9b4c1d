/** The shared libraries that a program needs, computed from the programs themselves. */
import { type ElfFile, readElf } from "./elf.ts";

/** Where a loader of glibc looks without being told, Debian's order first. */
function searched(triplet: string): readonly string[] {
  return [`/lib/${triplet}`, `/usr/lib/${triplet}`, "/lib64", "/usr/lib64", "/lib", "/usr/lib"];
}

/** Debian's names of folders, by the machine in an ELF header. */
const TRIPLETS: Readonly<Record<number, string>> = {
  40: "arm-linux-gnueabihf",
  62: "x86_64-linux-gnu",
  183: "aarch64-linux-gnu",
};

/** Looked for by name when somebody asks for a host: before glibc 2.34 they were files of their own. */
const NAME_SERVICE = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];
const BUILT_IN = new TextEncoder().encode("_nss_files_gethostbyname4_r");

/** A file that has to be there, and where it is now. */
export interface NeededFile {
  /** Where the program looks for it. */
  readonly path: string;
  readonly from: string;
}

/**
 * Loader and libraries of a program, with what these need themselves. `sysroot` is where the files of
 * its machine lie; empty for this machine. Throws where one is not found.
 */
export async function neededFiles(program: string, sysroot = ""): Promise<NeededFile[]> {
  const elf = await elfOf(program);
  const found = new Map<string, NeededFile>();
  if (elf.interpreter !== null) {
    const from = await resolved(sysroot, elf.interpreter);
    if (from === null) throw new Error(`Cannot find loader of ${program}: ${elf.interpreter}`);
    found.set(elf.interpreter.split("/").at(-1)!, { path: elf.interpreter, from });
  }
  const open = [...elf.needed];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    if (found.has(name)) continue;
    const file = await findLibrary(name, { sysroot, elf });
    if (file === null) throw new Error(`Cannot find library of ${program}: ${name}`);
    found.set(name, file);
    open.push(...(await elfOf(file.from)).needed);
    if (name === "libc.so.6" && !contains(await Deno.readFile(file.from), BUILT_IN)) {
      open.push(...NAME_SERVICE);
    }
  }
  return [...found.values()];
}

async function findLibrary(
  name: string,
  { sysroot, elf }: { sysroot: string; elf: ElfFile },
): Promise<NeededFile | null> {
  for (const folder of searched(TRIPLETS[elf.machine] ?? "")) {
    const path = `${folder}/${name}`;
    const from = await resolved(sysroot, path);
    if (from === null) continue;
    // A machine may have libraries of others beside its own.
    const library = await elfOf(from);
    if (library.machine === elf.machine && library.bits === elf.bits) return { path, from };
  }
  return null;
}

/** The real file behind links, which in a sysroot may say what they would mean at its root. */
async function resolved(sysroot: string, path: string): Promise<string | null> {
  let at = sysroot + path;
  for (let links = 0; links < 8; links++) {
    try {
      if (!(await Deno.lstat(at)).isSymlink) return at;
      const target = await Deno.readLink(at);
      at = target.startsWith("/")
        ? sysroot + target
        : at.slice(0, at.lastIndexOf("/") + 1) + target;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }
  throw new Error(`Cannot follow links: ${sysroot}${path}`);
}

async function elfOf(path: string): Promise<ElfFile> {
  const elf = readElf(await Deno.readFile(path));
  if (elf === null) throw new Error(`Cannot read ${path}: not an ELF file`);
  return elf;
}

function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const first = wanted[0]!;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
