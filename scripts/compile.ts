/**
 * `deno task compile`: a binary for each machine, in `dist/`, with their SHA-256 sums.
 *
 * Two builds of one commit give the same bytes, wherever they are made.
 */
import { parseArgs } from "@std/cli";
import deno from "../deno.json" with { type: "json" };
import { ENTRY, makeBundle } from "./ship/bundle.ts";
import { readNote64, withNote32 } from "./ship/elf32_note.ts";
import { sourceCommit } from "./ship/commit.ts";
import { type DenortSources, findDenort, howToProvide } from "./ship/denort.ts";
import { runtimeFlags } from "./ship/flags.ts";
import { run } from "./ship/run.ts";
import { readSection } from "./ship/section.ts";
import { sha256Hex, writeSums } from "./ship/sums.ts";
import { type Target, TARGETS, targetsOf } from "./ship/targets.ts";

const USAGE = `Usage: deno task compile [options]
  --target NAME       ${TARGETS.map(({ name }) => name).join(", ")}, or all (this machine's)
  --output DIR        where the binaries and SHA256SUMS go (dist)
  --denort PATH       the runtime that they begin with, for one target; or the variable DENORT_BIN
  --denort-dir DIR    a folder with a runtime for each target, denort-<target>
  --offline           do not let deno look for a runtime by itself
  --download-s N      how long it may take for that (120)
  --commit TEXT       what "relayq version" tells of the sources, where Git cannot say
  --small             for machines with 128 MB: less memory, slower
  --heap-mb N         most MB of the JavaScript heap
  --untried           do not run a binary for this machine to see that it is one
  --code-cache        keep compiled code in $TMPDIR/deno-compile-<name>.cache: see README.md first
  --bundle-only DIR   only the files that would be embedded`;

const COMPILE_MS_MAX = 120_000;
const TRY_MS_MAX = 30_000;

interface Settings {
  readonly targets: readonly Target[];
  readonly output: string;
  readonly denort: DenortSources;
  readonly offline: boolean;
  readonly downloadMs: number;
  readonly commit: string;
  readonly flags: readonly string[];
  readonly codeCache: boolean;
  readonly untried: boolean;
  readonly bundleOnly: string | null;
}

async function readSettings(args: readonly string[]): Promise<Settings> {
  const texts = ["target", "output", "denort", "denort-dir", "download-s", "commit", "heap-mb"];
  const flags = parseArgs(args, {
    string: [...texts, "bundle-only"],
    boolean: ["offline", "small", "untried", "code-cache"],
    unknown: refuse,
  });
  const text = (name: string) => flags[name] === undefined ? null : String(flags[name]);
  const targets = targetsOf(text("target") ?? Deno.build.target);
  if (targets.length > 1 && text("denort") !== null) {
    throw new Error("Cannot read --denort: it is for one target, --denort-dir for several");
  }
  const environment = Deno.env.get("DENORT_BIN") ?? null;
  if (targets.length > 1 && environment !== null && text("denort-dir") === null) {
    // deno would take it for all of them.
    throw new Error("Cannot use DENORT_BIN: it is for one target, --denort-dir for several");
  }
  const heapMb = text("heap-mb");
  return {
    targets,
    output: text("output") ?? "dist",
    denort: {
      path: text("denort"),
      directory: text("denort-dir"),
      environment,
    },
    offline: flags["offline"] === true,
    downloadMs: number(text("download-s") ?? "120", "download-s") * 1000,
    commit: text("commit") ?? await sourceCommit(),
    flags: runtimeFlags({
      small: flags["small"] === true,
      heapMb: heapMb === null ? null : number(heapMb, "heap-mb"),
    }),
    codeCache: flags["code-cache"] === true,
    untried: flags["untried"] === true,
    bundleOnly: text("bundle-only"),
  };
}

function refuse(word: string): never {
  throw new Error(`Cannot read arguments: unknown "${word}"\n${USAGE}`);
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`Cannot read --${name}: not a whole number from 1 on: "${text}"`);
}

/**
 * A binary must answer as RelayQ: with another program than `denort` in front, such as `deno`
 * itself, it would be that program still.
 */
async function tryOut(path: string, { commit }: Settings): Promise<void> {
  const args = ["version", "--json"];
  const { out, late } = await run(path, { args, limitMs: TRY_MS_MAX });
  let answer: { relayq?: unknown; commit?: unknown } | null = null;
  try {
    answer = JSON.parse(out);
  } catch {
    // Told below.
  }
  if (answer?.relayq === deno.version && answer.commit === commit) return;
  throw new Error(
    `Cannot use ${
      path.split("/").at(-1)
    }: it does not answer as relayq ${deno.version}, so what it begins with is ` +
      `not denort${late ? "" : ` (it said: ${out.slice(0, 200).trim() || "nothing"})`}`,
  );
}

/** Makes one binary and gives its path. */
async function compile(target: Target, settings: Settings, bundle: Bundle): Promise<string> {
  const version = Deno.version.deno;
  const given = bundle.denorts.get(target)!;
  // deno embeds in files of 64 bits only: for others in one that is there anyway, to be moved.
  const denort = target.bits === 32 ? Deno.execPath() : given;
  // deno leaves half a file behind where it is ended: not in the folder of the results.
  const path = `${bundle.work}/${binaryName(target)}`;
  const args = [
    "compile",
    ...["--quiet", "--no-config", "--no-lock", "--no-check", "--no-remote", "--no-npm"],
    ...settings.flags,
    ...(settings.codeCache ? [] : ["--no-code-cache"]),
    ...bundle.beside.flatMap((name) => ["--include", name]),
    ...["--app-name", "relayq", "--target", target.compileAs, "--output", path, ENTRY],
  ];
  const { code, err, late } = await run(Deno.execPath(), {
    args,
    cwd: bundle.directory,
    env: denort === null ? {} : { DENORT_BIN: denort },
    limitMs: denort === null ? settings.downloadMs : COMPILE_MS_MAX,
  });
  if (code === 0) {
    if (target.bits === 32) await moveTo32(path, given!);
    await Deno.chmod(path, 0o755);
    return path;
  }
  const said = err.trim().replaceAll("\n", "\n  ");
  if (denort !== null) throw new Error(`Cannot compile for ${target.name}: ${said}`);
  const because = late
    ? `deno did not get one within ${settings.downloadMs / 1000} s`
    : `deno did not get one: ${said}`;
  throw new Error(howToProvide(target, { version, because }));
}

/** Takes what was embedded in `path`, and writes it there behind a runtime of 32 bits. */
async function moveTo32(path: string, runtime: string): Promise<void> {
  const content = readNote64(await Deno.readFile(path));
  if (content === null) throw new Error("Cannot embed: deno has written no note");
  await Deno.writeFile(path, withNote32(await Deno.readFile(runtime), content));
}

interface Bundle {
  readonly directory: string;
  /** For what is not done yet. */
  readonly work: string;
  readonly beside: readonly string[];
  /** The runtime for each target; null where deno may look for it. */
  readonly denorts: ReadonlyMap<Target, string | null>;
}

async function findDenorts(settings: Settings): Promise<Map<Target, string | null>> {
  const version = Deno.version.deno;
  const found = new Map<Target, string | null>();
  for (const target of settings.targets) {
    const denort = await findDenort(target, { sources: settings.denort, version });
    if (denort === null && settings.offline) {
      throw new Error(howToProvide(target, { version, because: "none was named" }));
    }
    found.set(target, denort);
  }
  return found;
}

function binaryName(target: Target): string {
  return `relayq-${deno.version}-${target.name}`;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) return say(USAGE);
  const settings = await readSettings(args);
  const { commit, bundleOnly } = settings;
  if (bundleOnly !== null) {
    await Deno.mkdir(bundleOnly, { recursive: true });
    const beside = await makeBundle({ directory: await Deno.realPath(bundleOnly), commit });
    return say(`${bundleOnly}: ${[ENTRY, ...beside].join(", ")}`);
  }
  // What is missing is told before the work, not after it.
  const denorts = await findDenorts(settings);
  const work = await Deno.makeTempDir({ prefix: "relayq-compile-" });
  const directory = `${work}/bundle`;
  try {
    await Deno.mkdir(directory);
    const beside = await makeBundle({ directory, commit });
    await Deno.mkdir(settings.output, { recursive: true });
    for (const target of settings.targets) {
      const path = await compile(target, settings, { directory, work, beside, denorts });
      if (!settings.untried && target.name === Deno.build.target) await tryOut(path, settings);
      const bytes = await Deno.readFile(path);
      const section = readSection(bytes);
      if (section === null) {
        throw new Error(`Cannot compile for ${target.name}: nothing is embedded`);
      }
      await Deno.writeFile(`${settings.output}/${binaryName(target)}`, bytes, { mode: 0o755 });
      say(`${settings.output}/${binaryName(target)}  ${(bytes.length / 1e6).toFixed(1)} MB`);
      say(`  sha256 ${await sha256Hex(bytes)}  commit ${commit}`);
      say(`  holds  ${[...section.files.keys()].join(", ")}`);
    }
    await writeSums(settings.output);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    Deno.exit(1);
  }
}
