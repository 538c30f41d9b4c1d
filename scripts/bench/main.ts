/**
 * Measures RelayQ beside Mosquitto on the same work in the same run.
 *
 * Every measurement has a fresh broker process. The two take turns, and who begins changes with each
 * round, so that a slow minute of the machine cannot favour one. The exit code tells whether the rig
 * worked, never whether a figure is good.
 */

import { parseArgs } from "@std/cli";
import {
  Broker,
  type BrokerCommands,
  type BrokerKind,
  RELAYQ_FROM_SOURCE,
  removeDirectories,
} from "./brokers.ts";
import { endAllChildren, killAllChildren } from "./children.ts";
import { epochNowMs } from "./clock.ts";
import { before } from "./link.ts";
import { describeMachine, readMachineFacts } from "./machine.ts";
import { markCpu, otherCpuPercent } from "./proc.ts";
import { formatNotes, formatTable, type Outcome, type Round, toJson } from "./report.ts";
import { say, tell } from "./terminal.ts";
import type { Figures, Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

const USAGE = `Usage: deno run -A scripts/bench/main.ts [options]
  --rounds N          rounds of each work item (5)
  --seconds S         measured window of each measurement (2)
  --only NAME,…       only these work items
  --json FILE         where the figures go (bench-results/<time>.json)
  --relayq-only       without Mosquitto
  --mosquitto-only    without RelayQ
  --ceiling           the generator against a mirror that only copies bytes: its own limit
  --relayq-cmd "…"    command that starts RelayQ; {config} and {port} are filled in
  --relayq-toml FILE  TOML appended to RelayQ's configuration
  --mosquitto PATH    Mosquitto's program (/usr/sbin/mosquitto)
  --list              names of the work items`;

const MEASUREMENT_LIMIT_MS = 120_000;

interface Settings {
  rounds: number;
  seconds: number;
  workloads: readonly Workload[];
  kinds: readonly BrokerKind[];
  commands: BrokerCommands;
  json: string;
}

function readSettings(args: readonly string[]): Settings {
  const flags = parseArgs(args, {
    string: ["rounds", "seconds", "only", "json", "relayq-cmd", "relayq-toml", "mosquitto"],
    boolean: ["relayq-only", "mosquitto-only", "ceiling"],
    default: { rounds: "5", seconds: "2", mosquitto: "/usr/sbin/mosquitto" },
    unknown: refuseFlag,
  });
  const kinds: readonly BrokerKind[] = flags["ceiling"]
    ? ["mirror"]
    : flags["relayq-only"]
    ? ["relayq"]
    : flags["mosquitto-only"]
    ? ["mosquitto"]
    : ["relayq", "mosquitto"];
  const command = flags["relayq-cmd"];
  const toml = flags["relayq-toml"];
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return {
    rounds: positive(flags["rounds"], "rounds"),
    seconds: positive(flags["seconds"], "seconds"),
    workloads: select(flags["only"], flags["ceiling"] === true),
    kinds,
    commands: {
      relayq: command === undefined ? RELAYQ_FROM_SOURCE : String(command).trim().split(/\s+/),
      relayqToml: toml === undefined ? "" : Deno.readTextFileSync(String(toml)),
      mosquitto: String(flags["mosquitto"]),
    },
    json: String(flags["json"] ?? `bench-results/${stamp}.json`),
  };
}

function refuseFlag(word: string): never {
  throw new Error(`Cannot read arguments: unknown "${word}"\n${USAGE}`);
}

function positive(value: unknown, name: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`Cannot read --${name}: not a whole number from 1 on: "${value}"`);
  }
  return number;
}

function select(only: unknown, ceiling: boolean): readonly Workload[] {
  const all = WORKLOADS.filter((workload) => !ceiling || workload.mirror);
  if (only === undefined) return all;
  const names = String(only).split(",");
  for (const name of names) {
    if (!all.some((workload) => workload.name === name)) {
      throw new Error(`Cannot read --only: no work item "${name}" here`);
    }
  }
  return all.filter((workload) => names.includes(workload.name));
}

async function measureOnce(
  workload: Workload,
  how: { kind: BrokerKind; settings: Settings; round: number },
): Promise<Figures> {
  const { kind, round, settings: { commands, seconds } } = how;
  const { profile, guards = {} } = workload;
  const broker = await Broker.start(kind, { commands, profile, guards });
  try {
    return await before(epochNowMs() + MEASUREMENT_LIMIT_MS, {
      of: workload.measure(broker, { seconds, round }),
      name: `${workload.name} of ${kind}`,
    });
  } finally {
    await broker.end();
    await endAllChildren();
  }
}

async function measureRounds(workload: Workload, settings: Settings): Promise<Outcome> {
  const rounds: Round[] = [];
  const kinds = settings.kinds.filter((kind) => kind === (workload.only ?? kind));
  if (workload.warmStart === true) await warmUp(workload, settings);
  for (let index = 0; index < settings.rounds; index++) {
    const order = index % 2 === 0 ? kinds : kinds.toReversed();
    const round: Round = { order, figures: {}, errors: {}, otherCpuPercent: {} };
    for (const kind of order) {
      const title = `${workload.name} ${index + 1}/${settings.rounds} ${kind}`;
      const mark = await markCpu();
      try {
        const figures = await measureOnce(workload, { kind, settings, round: index });
        round.figures[kind] = figures;
        tell(`${title}: ${describeFigures(workload, figures)}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        round.errors[kind] = message;
        tell(`${title}: FAILED: ${message}`);
      }
      round.otherCpuPercent[kind] = otherCpuPercent(mark, await markCpu());
    }
    rounds.push(round);
  }
  return { workload, rounds };
}

function describeFigures(workload: Workload, figures: Figures): string {
  return workload.metrics.map(function describe(metric): string {
    return `${metric.name} ${(figures[metric.name] ?? NaN).toFixed(metric.digits)}`;
  }).join(", ");
}

/** Once without counting, so that every file is in the page cache. */
async function warmUp(workload: Workload, settings: Settings): Promise<void> {
  for (const kind of settings.kinds) {
    await measureOnce(workload, { kind, settings, round: 0 }).catch(function ignore(): void {
      // The measured rounds will fail the same way and say so.
    });
  }
}

async function writeJson(file: string, text: string): Promise<void> {
  const slash = file.lastIndexOf("/");
  if (slash > 0) await Deno.mkdir(file.slice(0, slash), { recursive: true });
  await Deno.writeTextFile(file, text);
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    say(USAGE);
    return 0;
  }
  if (args.includes("--list")) {
    for (const workload of WORKLOADS) say(`${workload.name}: ${workload.about}`);
    return 0;
  }
  const settings = readSettings(args);
  const machine = await readMachineFacts(settings.commands.mosquitto);
  const outcomes: Outcome[] = [];
  for (const workload of settings.workloads) {
    outcomes.push(await measureRounds(workload, settings));
  }
  const { rounds, seconds, kinds } = settings;
  say(`${describeMachine(machine)}; ${rounds} rounds of ${seconds} s`);
  say(formatTable(outcomes, kinds));
  for (const note of formatNotes(outcomes)) say(note);
  await writeJson(
    settings.json,
    toJson(outcomes, {
      machine,
      kinds,
      settings: { rounds, seconds, commands: settings.commands },
    }),
  );
  say(`Every figure of every round: ${settings.json}`);
  const failed = outcomes.some((outcome) =>
    outcome.rounds.some((round) => Object.keys(round.errors).length > 0)
  );
  return failed ? 1 : 0;
}

function stopAtSignal(): void {
  killAllChildren();
  removeDirectories();
  Deno.exit(130);
}

if (import.meta.main) {
  Deno.addSignalListener("SIGINT", stopAtSignal);
  Deno.addSignalListener("SIGTERM", stopAtSignal);
  let code = 1;
  try {
    code = await main(Deno.args);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  } finally {
    await endAllChildren();
    removeDirectories();
  }
  Deno.exit(code);
}
