/** A root directory with the broker and nothing else: for a container, or for `chroot`. */
import { neededFiles } from "./libraries.ts";

/** Who the broker runs as: nobody that a machine is likely to know. */
export const BROKER_USER = { name: "relayq", id: 65532 } as const;

/** Where things are, as the broker sees them. */
export const BROKER_PATHS = {
  program: "/usr/bin/relayq",
  config: "/etc/relayq/relayq.toml",
  data: "/var/lib/relayq",
} as const;

/** Closed until it is replaced: only whoever is in the container reaches it. */
const CONFIG = `# Replace this file: as it is, only programs in the container can connect.
[[listeners]]
address = "127.0.0.1:1883"

[store]
data_dir = "${BROKER_PATHS.data}"

[admin]
address = "127.0.0.1:9883"        # for the health check
`;

const TEXTS: Readonly<Record<string, string>> = {
  "/etc/passwd": [
    "root:x:0:0:root:/:/sbin/nologin",
    `${BROKER_USER.name}:x:${BROKER_USER.id}:${BROKER_USER.id}::${BROKER_PATHS.data}:/sbin/nologin`,
    "",
  ].join("\n"),
  "/etc/group": `root:x:0:\n${BROKER_USER.name}:x:${BROKER_USER.id}:\n`,
  "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
  "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  [BROKER_PATHS.config]: CONFIG,
};

/** A file of the root directory. */
export interface RootFile {
  readonly path: string;
  readonly bytes: number;
}

/** Makes the root directory, which must not be there yet, and gives the files in it. */
export async function makeRoot(
  directory: string,
  { program, sysroot = "" }: { program: string; sysroot?: string },
): Promise<RootFile[]> {
  await Deno.mkdir(directory, { recursive: true });
  const files: RootFile[] = [];
  const add = async (path: string, put: (target: string) => Promise<void>) => {
    const target = directory + path;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await put(target);
    files.push({ path, bytes: (await Deno.stat(target)).size });
  };
  for (const { path, from } of await neededFiles(program, sysroot)) {
    await add(path, (target) => copy(from, target));
  }
  await add(BROKER_PATHS.program, (target) => copy(program, target));
  for (const [path, text] of Object.entries(TEXTS)) {
    await add(path, (target) => Deno.writeTextFile(target, text, { mode: 0o644 }));
  }
  // The kernel's own files: a container mounts them itself, `chroot` needs where to.
  for (const path of ["/proc", "/dev", BROKER_PATHS.data]) {
    await Deno.mkdir(directory + path, { recursive: true });
  }
  await Deno.chmod(directory + BROKER_PATHS.data, 0o700);
  // Only root may give away; others have to see to it themselves.
  if (Deno.uid() === 0) {
    await Deno.chown(directory + BROKER_PATHS.data, BROKER_USER.id, BROKER_USER.id);
  }
  return files;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, to);
  await Deno.chmod(to, 0o755);
}
