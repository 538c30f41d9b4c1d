/**
 * `deno task footprint`: what the broker takes of a machine, in the forms in which it may be run: from
 * source, as the bundle that is in a binary, and with the flags for small machines; and what these
 * cost. The runtime of this machine stands in for `denort`.
 */
import { Broker } from "./bench/brokers.ts";
import { endAllChildren } from "./bench/children.ts";
import { sleep } from "./bench/clock.ts";
import { Load } from "./bench/load.ts";
import { readCpuMs, readMemory } from "./bench/proc.ts";
import { median } from "./bench/statistics.ts";
import { WORKLOADS } from "./bench/workloads.ts";
import deno from "../deno.json" with { type: "json" };
import { ENTRY, makeBundle } from "./ship/bundle.ts";
import { runtimeFlags } from "./ship/flags.ts";
import { makeRoot } from "./ship/root_files.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const SETTLE_MS = 2_000;
const CONNECTIONS = [1_000, 10_000];
const PARALLEL = 200;
const THROUGHPUT = ["qos0_4to4", "qos1_4to4"];
/** As in a binary: compiled code is not kept. */
const SEALED = [
  "--no-code-cache",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
];
const MB = 1e6;

/** A way to run the broker. */
interface Form {
  readonly name: string;
  readonly command: readonly string[];
}

function forms(bundle: string): readonly Form[] {
  const bundled = (choice: { small: boolean; heapMb: number | null }) => [
    Deno.execPath(),
    "run",
    ...SEALED,
    ...runtimeFlags(choice),
    `${bundle}/${ENTRY}`,
    ...["serve", "--config", "{config}"],
  ];
  const source = deno.tasks.serve.split(" ").map((word) =>
    word === "deno" ? Deno.execPath() : word === "main.ts" ? `${ROOT}main.ts` : word
  );
  return [
    { name: "from source", command: [...source, "--config", "{config}"] },
    { name: "as in the binary", command: bundled({ small: false, heapMb: null }) },
    { name: "--small", command: bundled({ small: true, heapMb: null }) },
    { name: "--small --heap-mb 48", command: bundled({ small: true, heapMb: 48 }) },
  ];
}

/** One row: start in ms by the clock and of CPU, memory in MB with 0, 1,000 and 10,000 connections, µs of CPU a delivery. */
async function measure({ command }: Form): Promise<number[]> {
  const commands = { relayq: command, relayqToml: "", mosquitto: "" };
  const row = await withBroker({ commands, profile: "stock" }, measureMemory);
  for (const name of THROUGHPUT) {
    const workload = WORKLOADS.find((each) => each.name === name)!;
    const { profile } = workload;
    const figures = await withBroker(
      { commands, profile },
      (broker) => workload.measure(broker, { seconds: 2, round: 0 }),
    );
    row.push(figures.broker_cpu_us_per_delivery ?? NaN);
  }
  return row;
}

async function measureMemory(broker: Broker): Promise<number[]> {
  const row = [broker.connackMs, await readCpuMs(broker.pid)];
  await sleep(SETTLE_MS);
  row.push((await readMemory(broker.pid)).rssBytes / MB);
  const loads: Load[] = [];
  try {
    let open = 0;
    for (const connections of CONNECTIONS) {
      const load = Load.start("idle", {
        ...broker.target,
        connections: connections - open,
        parallel: PARALLEL,
        prefix: `footprint-${connections}-`,
      });
      loads.push(load);
      open = connections;
      // The memory guard refuses them where the heap is too small for so many.
      const isReady = await load.answer("ready").then(() => true, () => false);
      await sleep(2 * SETTLE_MS);
      row.push(isReady ? (await readMemory(broker.pid)).rssBytes / MB : NaN);
    }
  } finally {
    for (const load of loads) await load.end();
  }
  return row;
}

/** A machine that is busy with others may be too slow for a start: the guard closes what comes then. */
async function withBroker<T>(
  how: Parameters<typeof Broker.start>[1],
  use: (broker: Broker) => Promise<T>,
): Promise<T> {
  for (let left = 3;; left--) {
    let broker: Broker | null = null;
    try {
      broker = await Broker.start("relayq", how);
      return await use(broker);
    } catch (error) {
      if (left === 0) throw error;
    } finally {
      await broker?.end();
    }
  }
}

async function main([given]: readonly string[]): Promise<void> {
  const rounds = Number(given ?? 3);
  const directory = await Deno.makeTempDir({ prefix: "relayq-footprint-" });
  try {
    const bundle = `${directory}/bundle`;
    await Deno.mkdir(bundle);
    await makeBundle({ directory: bundle, commit: "footprint" });
    let bytes = 0;
    for await (const { name } of Deno.readDir(bundle)) bytes += await sizeOf(`${bundle}/${name}`);
    say(`bundle (added to the runtime): ${(bytes / MB).toFixed(2)} MB`);
    const program = await Deno.realPath(Deno.execPath());
    const files = await makeRoot(`${directory}/root`, { program });
    const libraries = files.filter(({ path }) => path.includes("/lib"));
    const total = libraries.reduce((sum, file) => sum + file.bytes, 0);
    say(`libraries in the image: ${(total / MB).toFixed(2)} MB`);
    say(`runtime that stands in for denort: ${((await sizeOf(program)) / MB).toFixed(1)} MB\n`);
    say(
      "| form | start | its CPU time | idle | 1,000 | 10,000 connections | CPU a delivery at QoS 0 | at QoS 1 |",
    );
    say("| --- | --- | --- | --- | --- | --- | --- | --- |");
    const table = forms(bundle).map((form) => ({ form, rows: [] as number[][] }));
    for (let round = 0; round < rounds; round++) {
      for (const { form, rows } of table) rows.push(await measure(form));
    }
    for (const { form, rows } of table) {
      const [start, cpu, idle, some, many, qos0, qos1] = rows[0]!.map((_, column) =>
        median(rows.map((row) => row[column]!))
      );
      const times = [start, cpu].map((value) => `${value!.toFixed(0)} ms`);
      const memory = [idle, some, many].map((value) =>
        Number.isNaN(value) ? "refused" : `${value!.toFixed(0)} MB`
      );
      const rates = [qos0, qos1].map((value) => `${value!.toFixed(2)} µs`);
      say(`| ${[form.name, ...times, ...memory, ...rates].join(" | ")} |`);
    }
  } finally {
    await endAllChildren();
    await Deno.remove(directory, { recursive: true });
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) await main(Deno.args);
