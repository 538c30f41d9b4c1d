/**
 * `deno task coverage`: how much of the rooms that decide is run by their tests. Ends with 1 below the
 * bounds, and with 2 if a test fails.
 *
 *   --report   only the table, of the tests that ran last
 *   --lines    the lines and branches that no test has run, too
 */
import { parseArgs } from "@std/cli";
import { say, tell } from "./bench/terminal.ts";
import { type FileCoverage, parseLcov } from "./_lcov.ts";

/** The bounds, as shares of all. */
const LINES_MIN = 0.95;
const BRANCHES_MIN = 0.9;

/** The rooms, and the tests that are about them. */
const ROOMS = ["mqtt", "broker", "store", "security", "sparkplug"] as const;
const TESTS = [
  ["tests/mqtt", "tests/broker", "tests/wire_cases"],
  ["tests/sparkplug"],
  ["tests/store", "tests/cli/dlq_test.ts"],
  ["tests/security", "tests/admin/access_test.ts", "tests/cli/admin_test.ts"],
] as const;

/** A part of all. */
interface Share {
  /** 0 to 1. */
  readonly share: number;
  /** `99.1 % of 1200`. */
  readonly text: string;
}

/** How much of a room is run by its tests. */
export interface RoomCoverage {
  readonly room: string;
  readonly files: number;
  readonly lines: Share;
  readonly branches: Share;
  /** Whether both are within the bounds. */
  readonly isWithin: boolean;
}

const FOLDER = "coverage";
const PERMISSIONS = [
  "--allow-net=127.0.0.0/8,localhost,[::1]",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
];

/** A run empties the folder it writes to (`--clean`): each piece has its own. */
function folderOf(piece: number): string {
  return `${FOLDER}/${piece}`;
}

/** Runs the tests of one piece; gives whether they pass. */
async function runTests(paths: readonly string[], piece: number): Promise<boolean> {
  say(`deno test --coverage ${paths.join(" ")}`);
  const args = ["test", "--quiet", "--no-check", "--frozen", "--no-prompt", ...PERMISSIONS];
  const command = new Deno.Command("deno", {
    args: [
      ...args,
      `--coverage=${folderOf(piece)}`,
      "--coverage-raw-data-only",
      "--clean",
      ...paths,
    ],
    stdout: "piped",
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  if (!success) tell(new TextDecoder().decode(stdout).slice(-4_000));
  return success;
}

/** Runs the tests of all rooms; gives whether they pass. */
async function runAllTests(): Promise<boolean> {
  for (const [piece, paths] of TESTS.entries()) {
    if (!await runTests(paths, piece)) return false;
  }
  return true;
}

/** Runs the tests of all rooms; null if one fails. */
export async function measureRooms(): Promise<RoomCoverage[] | null> {
  return await runAllTests() ? byRoom(await report()) : null;
}

async function report(): Promise<FileCoverage[]> {
  const include = `--include=^file:.*/src/(${ROOMS.join("|")})/`;
  const folders = TESTS.map((_paths, piece) => folderOf(piece));
  const command = new Deno.Command("deno", { args: ["coverage", "--lcov", include, ...folders] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot read coverage: ${new TextDecoder().decode(stderr)}`);
  return parseLcov(new TextDecoder().decode(stdout));
}

/** Prints the table; gives whether all rooms are within the bounds. */
function printTable(rooms: readonly RoomCoverage[]): boolean {
  say("room        files     lines          branches");
  for (const { room, files, lines, branches, isWithin } of rooms) {
    const cells = [
      room.padEnd(10),
      String(files).padStart(6),
      ` ${lines.text}`.padEnd(16),
      branches.text.padEnd(16),
      isWithin ? "" : `below ${LINES_MIN * 100} % of lines or ${BRANCHES_MIN * 100} % of branches`,
    ];
    say(cells.join(" ").trimEnd());
  }
  return rooms.every(({ isWithin }) => isWithin);
}

/** What is known of each room. */
function byRoom(files: readonly FileCoverage[]): RoomCoverage[] {
  return ROOMS.map((room) => {
    const ours = files.filter(({ path }) => path.includes(`/src/${room}/`));
    const lines = share(ours.map((file) => file.lines));
    const branches = share(ours.map((file) => file.branches));
    const isWithin = ours.length > 0 && lines.share >= LINES_MIN && branches.share >= BRANCHES_MIN;
    return { room, files: ours.length, lines, branches, isWithin };
  });
}

function share(parts: readonly { readonly found: number; readonly hit: number }[]): Share {
  const found = parts.reduce((sum, part) => sum + part.found, 0);
  const hit = parts.reduce((sum, part) => sum + part.hit, 0);
  const part = found === 0 ? 1 : hit / found;
  return { share: part, text: `${(part * 100).toFixed(1).padStart(5)} % of ${found}` };
}

function printMissed(files: readonly FileCoverage[]): void {
  for (const { path, missed, missedBranches } of files) {
    if (missed.length + missedBranches.length === 0) continue;
    const name = path.slice(path.lastIndexOf("/src/") + 1);
    say(`${name}: lines ${missed.join(" ")}; branches at ${missedBranches.join(" ")}`);
  }
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { boolean: ["report", "lines"] });
  if (flags["report"] !== true && !await runAllTests()) Deno.exit(2);
  const files = await report();
  if (flags["lines"] === true) printMissed(files);
  if (!printTable(byRoom(files))) Deno.exit(1);
}
