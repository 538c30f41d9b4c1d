/** The files that the configuration names: whether they are there, and who else may touch them. */
import type { Config } from "../config/mod.ts";
import { Findings, reasonOf } from "./finding.ts";
import type { Finding } from "./finding.ts";

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;

interface NamedFile {
  readonly path: string;
  readonly name: string;
  /** Whether nobody else may read it. */
  readonly isSecret: boolean;
}

/** Findings about all of them. */
export async function fileFindings(
  config: Config,
  configPath: string | null,
): Promise<readonly Finding[]> {
  const findings = new Findings("file");
  for (const file of filesOf(config, configPath)) await look(file, findings);
  return findings.all;
}

function filesOf({ security, listeners }: Config, configPath: string | null): NamedFile[] {
  const files: NamedFile[] = [
    { path: configPath ?? "", name: "configuration", isSecret: false },
    { path: security.passwordFile, name: "password file", isSecret: true },
    { path: security.accessFile, name: "access file", isSecret: false },
    { path: security.pinFile, name: "pin file", isSecret: false },
    ...listeners.flatMap(({ certificateFile, keyFile, caFile, crlFile }) => [
      { path: certificateFile, name: "certificate", isSecret: false },
      { path: keyFile, name: "private key", isSecret: true },
      { path: caFile, name: "CA file", isSecret: false },
      { path: crlFile, name: "CRL", isSecret: false },
    ]),
  ];
  const known = new Map(files.filter(({ path }) => path !== "").map((file) => [file.path, file]));
  return [...known.values()];
}

async function look({ path, name, isSecret }: NamedFile, findings: Findings): Promise<void> {
  const what = `${name} ${path}`;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
    using _opened = await Deno.open(path, { read: true });
  } catch (error) {
    const fix = error instanceof Deno.errors.PermissionDenied
      ? "run this as the user that the broker runs as, or give that user the right to read it"
      : "put the file there, or correct its path in the configuration";
    return findings.error(`${what}: ${reasonOf(error)}`, fix);
  }
  const mode = info.mode ?? 0;
  const shown = `mode ${(mode & 0o777).toString(8).padStart(4, "0")}`;
  if ((mode & OTHERS_WRITE) !== 0) {
    return findings.error(`${what}: everybody may write it (${shown})`, `chmod o-w ${path}`);
  }
  if (isSecret && (mode & OTHERS_READ) !== 0) {
    return findings.error(`${what}: everybody may read it (${shown})`, `chmod o-r ${path}`);
  }
  if ((mode & GROUP_WRITE) !== 0) {
    return findings.warning(`${what}: its group may write it (${shown})`, `chmod g-w ${path}`);
  }
  findings.ok(`${what}: there, ${shown}`);
}
