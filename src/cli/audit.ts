import type { AuditFinding, AuditReport, ChainPoint } from "../security/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** `relayq audit`: whether an audit log is as it was written. */
export const auditCommand: Command = {
  name: "audit",
  summary: "Verify that nobody has changed the audit log",
  details: `ACTION is
  verify    find every line that was changed, removed, put in or moved
A FILE is one file of the log, or the directory of all of them; several are given oldest first. The
head, a file beside them, tells which entry is the last one; without it, what was removed at the end
cannot be seen, so that it has to be named with --head or left out with --no-head in so many words.
It may be run while the broker writes. The exit code is 1 if anything is found.`,
  words: ["ACTION", "FILE…"],
  options: [
    { name: "head", value: "FILE", doc: "Head file instead of audit.head beside the first FILE" },
    { name: "no-head", doc: "Verify older files, or a copy, without a head" },
  ],
  run: audit,
};

/** How long a broker that writes may take to name what it has written: an fsync on a busy disk. */
const SEALING_MS = 2_000;
const HEAD_POLL_MS = 20;
/** A file that is not whole, or another set of files than before, is looked at again. */
const AGAIN_MS = 500;
const ATTEMPTS = 4;
const CHUNK_BYTES = 65_536;

async function audit(args: ParsedArguments, io: CliIo): Promise<number> {
  const [action = "", ...paths] = args.words;
  if (action !== "verify") return refuse(io, `${JSON.stringify(action)} is not verify`);
  if (paths.length === 0) return refuse(io, "FILE… is missing");
  const written = args.values.get("head")?.[0];
  const withoutHead = args.flags.has("no-head");
  if (withoutHead && written !== undefined) return refuse(io, "--head and --no-head");
  try {
    const headPath = withoutHead ? null : written ?? await headBeside(paths[0]!);
    let report = await verify(paths, headPath);
    for (let again = 1; again < ATTEMPTS && isPassing(report); again++) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      report = await verify(paths, headPath);
    }
    return tell(report, { io, withoutHead });
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    io.err(`Cannot verify ${error.message}\n`);
    return EXIT_CODE.config;
  }
}

interface Verified extends AuditReport {
  /** There were other files in the end than at the beginning. */
  readonly rotated: boolean;
}

/** A file that cannot be read; the message names it, with the reason. */
class UnreadableFile extends Error {
  constructor(path: string, reason: unknown) {
    super(`${path}: ${reason instanceof Error ? reason.message : reason}`);
  }
}

/**
 * Whether a broker at work may be the reason: it was writing a line, or has begun another file since
 * the files were listed.
 */
function isPassing({ findings, rotated }: Verified): boolean {
  if (findings.length === 0) return false;
  return rotated ||
    findings.every(({ kind }) => kind === "torn" || kind === "unreadable");
}

/** The files in the order of their entries. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const { AUDIT_FILE, rotatedRange } = await import("../security/mod.ts");
  const files: string[] = [];
  for (const path of paths) {
    if (!await isDirectory(path)) {
      files.push(path);
      continue;
    }
    const names: string[] = [];
    for await (const { name } of Deno.readDir(path)) {
      if (name === AUDIT_FILE || rotatedRange(name) !== null) names.push(name);
    }
    if (names.length === 0) throw new UnreadableFile(path, "there is no audit log");
    // The file that grows has no range in its name: it is the last one.
    names.sort((a, b) =>
      (rotatedRange(a)?.first ?? Infinity) - (rotatedRange(b)?.first ?? Infinity)
    );
    files.push(...names.map((name) => `${path}/${name}`));
  }
  return files;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    throw new UnreadableFile(path, error);
  }
}

async function headBeside(path: string): Promise<string> {
  const { AUDIT_HEAD_FILE } = await import("../security/mod.ts");
  if (await isDirectory(path)) return `${path}/${AUDIT_HEAD_FILE}`;
  return path.slice(0, path.lastIndexOf("/") + 1) + AUDIT_HEAD_FILE;
}

async function readHead(path: string | null): Promise<ChainPoint | null> {
  if (path === null) return null;
  const { parseHead } = await import("../security/mod.ts");
  try {
    return parseHead(await Deno.readTextFile(path))?.point ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new UnreadableFile(path, error);
  }
}

/** The head as soon as it names this entry, or as it is when that takes too long. */
async function headThatNames(entry: number, path: string | null): Promise<ChainPoint | null> {
  const latestMs = performance.now() + SEALING_MS;
  for (;;) {
    const head = await readHead(path);
    if (head === null || head.seq >= entry || performance.now() > latestMs) return head;
    await new Promise((resolve) => setTimeout(resolve, HEAD_POLL_MS));
  }
}

async function verify(paths: readonly string[], headPath: string | null): Promise<Verified> {
  const { AuditVerifier } = await import("../security/mod.ts");
  const files = await filesOf(paths);
  const verifier = new AuditVerifier(await readHead(headPath));
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (const path of files) {
    verifier.open(path);
    try {
      using file = await Deno.open(path, { read: true });
      for (;;) {
        const count = await file.read(chunk);
        if (count === null) break;
        verifier.push(chunk.subarray(0, count));
      }
    } catch (error) {
      throw new UnreadableFile(path, error);
    }
    verifier.close();
  }
  const headAfter = await headThatNames(verifier.lastEntry, headPath);
  const report = verifier.finish({ headAfter });
  return { ...report, rotated: (await filesOf(paths)).join("\n") !== files.join("\n") };
}

function tell(
  { entries, first, last, findings, notes }: AuditReport,
  { io, withoutHead }: { io: CliIo; withoutHead: boolean },
): number {
  const bad = withoutHead ? findings.filter(({ kind }) => kind !== "no-head") : findings;
  for (const note of notes) io.out(format(note));
  for (const finding of bad) io.out(format(finding));
  if (bad.length > 0) {
    io.out(`${bad.length} findings in ${entries} entries: this is not what was written\n`);
    return EXIT_CODE.config;
  }
  const range = entries === 0 ? "" : `, ${first} to ${last.seq}, the last with hash ${last.hash}`;
  const end = withoutHead ? "; what may be missing behind them was not checked" : "";
  io.out(`${entries} entries as they were written${range}${end}\n`);
  return EXIT_CODE.ok;
}

function format({ file, line, kind, text }: AuditFinding): string {
  return `${line > 0 ? `${file}:${line}` : file}: ${kind}: ${text}\n`;
}

function refuse(io: CliIo, problem: string): number {
  io.err(`Cannot run relayq audit: ${problem}\nTry "relayq audit --help".\n`);
  return EXIT_CODE.usage;
}
