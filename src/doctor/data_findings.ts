/** The data directory: whether there is room, and in what state the database is. */
import { statfs } from "node:fs/promises";
import type { Config } from "../config/mod.ts";
import { readDatabaseHeader } from "../store/mod.ts";
import { DataDirectory } from "../system/mod.ts";
import { type Finding, Findings, reasonOf } from "./finding.ts";

const DATABASE = "relayq.db";
/** Databases that were set aside, and those whose making has not ended. */
const QUARANTINED = /^relayq\.db\.(damaged-[^.]*(?<!-wal|-shm|-journal)|rescue-[^.]*)$/;
const OTHERS = 0o007;
/** Free space below which the broker is about to stop, in parts of what it may need. */
const INODES_MIN = 1_000;

/** Findings, and whether a broker holds the directory. */
export async function dataFindings(
  config: Config,
  nowMs: number,
): Promise<{ findings: readonly Finding[]; isHeld: boolean }> {
  const findings = new Findings("data");
  const { kind, dataDir } = config.store;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(dataDir);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      findings.ok(`data directory ${dataDir}: not there yet, the broker makes it`);
    } else findings.error(`data directory ${dataDir}: ${reasonOf(error)}`, "correct data_dir");
    await tellSpace(config, { path: parentOf(dataDir), findings });
    return { findings: findings.all, isHeld: false };
  }
  if (!info.isDirectory) {
    findings.error(`${dataDir} is not a directory`, "correct data_dir");
    return { findings: findings.all, isHeld: false };
  }
  if (((info.mode ?? 0) & OTHERS) !== 0) {
    const text = `data directory ${dataDir}: everybody may look into it, and it holds messages`;
    findings.warning(text, `chmod o-rwx ${dataDir}`);
  }
  const isHeld = DataDirectory.isHeld(dataDir);
  findings.ok(`data directory ${dataDir}: ${isHeld ? "a broker is using it" : "nobody uses it"}`);
  if (kind === "sqlite") await tellDatabase(dataDir, findings);
  await tellQuarantine(dataDir, { findings, nowMs });
  await tellSpace(config, { path: dataDir, findings });
  return { findings: findings.all, isHeld };
}

async function tellDatabase(dataDir: string, findings: Findings): Promise<void> {
  const path = `${dataDir}/${DATABASE}`;
  try {
    const header = await readDatabaseHeader(path);
    if ("problem" in header) {
      const fix = "move it away, or use the program that wrote it";
      return findings.error(`database ${path}: ${header.problem}`, fix);
    }
    const { schemaVersion, isOld } = header;
    const version = schemaVersion === null ? "new" : `schema version ${schemaVersion}`;
    const text = `database ${path}: readable, ${version}`;
    if (isOld) findings.note(`${text}: brought to the present one at the next start; keep a copy`);
    else findings.ok(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) findings.ok(`database ${path}: not there yet`);
    else {
      const fix = "run this as the user that the broker runs as";
      findings.error(`database ${path}: ${reasonOf(error)}`, fix);
    }
  }
}

async function tellQuarantine(
  dataDir: string,
  { findings, nowMs }: { findings: Findings; nowMs: number },
): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(dataDir)) {
      if (!QUARANTINED.test(name)) continue;
      const path = `${dataDir}/${name}`;
      const { size, mtime } = await Deno.stat(path);
      const days = Math.floor((nowMs - (mtime?.getTime() ?? nowMs)) / 86_400_000);
      findings.warning(
        `${path}: a database that was set aside, ${size} bytes, ${days} days old`,
        "find out why (disk, power); remove it and its -wal when nothing in it is missed",
      );
    }
  } catch (error) {
    findings.note(`data directory ${dataDir}: cannot be listed: ${reasonOf(error)}`);
  }
}

/** What the broker may come to need: the bounds of the configuration, and the log of the database. */
function bytesWanted({ queue, limits, deadLetters, store }: Config): number {
  return queue.totalBytesMax + limits.retainedBytesMax + deadLetters.bytesMax +
    2 * store.walBytesMax;
}

async function tellSpace(
  config: Config,
  { path, findings }: { path: string; findings: Findings },
): Promise<void> {
  if (config.store.kind === "memory") return;
  try {
    const { bavail, bsize, files, ffree } = await statfs(path);
    const freeBytes = bavail * bsize;
    const text = `disk of ${path}: ${mib(freeBytes)} free`;
    const wanted = bytesWanted(config);
    if (freeBytes < 2 * config.store.walBytesMax) {
      findings.error(text, "make room: a broker that cannot write acknowledges nothing");
    } else if (freeBytes < wanted) {
      const most = `at its bounds the broker holds ${mib(wanted)}`;
      findings.warning(
        `${text}; ${most}`,
        "make room, or lower queue.total_bytes_max, limits.retained_bytes_max, dead_letters.bytes_max",
      );
    } else findings.ok(text);
    // Some file systems have no fixed number of them and say 0.
    if (files > 0 && ffree < INODES_MIN) {
      findings.error(`disk of ${path}: ${ffree} files can still be made`, "remove files there");
    }
  } catch (error) {
    findings.note(`disk of ${path}: free space is not known: ${reasonOf(error)}`);
  }
}

/** The nearest directory above that is there. */
function parentOf(path: string): string {
  for (let at = path.replace(/\/+$/, ""); at.includes("/");) {
    at = at.slice(0, at.lastIndexOf("/"));
    try {
      if (Deno.statSync(at === "" ? "/" : at).isDirectory) return at === "" ? "/" : at;
    } catch {
      // Further up.
    }
  }
  return ".";
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576).toLocaleString("en-US")} MiB`;
}
