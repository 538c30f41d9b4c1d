import type { LoadFigures, LoadPlan } from "../client/mod.ts";
import { isLoopbackHost } from "../config/mod.ts";
import { terminationSignal } from "../system/mod.ts";
import type { CliIo } from "./cli_io.ts";
import {
  ADDRESS_OPTIONS,
  EXIT_CODE_OF,
  isProblem,
  numberOf,
  type OptionProblem,
  qosOf,
  refuseOptions,
  targetOf,
  usage,
} from "./_client_options.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { printable, quote } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

const PAIRS_MAX = 1_000;
const PAYLOAD_BYTES_MAX = 1_048_576;
/** Share of a core from which on the generator measures itself. */
const BUSY_PERCENT = 85;

/** `relayq bench`: a load on a running broker. */
export const benchCommand: Command = {
  name: "bench",
  summary: "Load a running broker with pairs of clients, and measure it",
  details:
    `Each pair is a publisher and a subscriber with a topic of their own below relayq-bench/. Without --rate
the publishers send as fast as the broker takes it. Latency is told from the moment at which a message
was due: with --rate a broker that holds a publisher up is charged for it.
The load takes half a second more than --seconds: its begin does not count. One process on one core
makes it; where that core is busy, the note at the end says that the broker may be able to do more.`,
  words: [],
  options: [
    ...ADDRESS_OPTIONS,
    { name: "pairs", value: "N", doc: "Pairs of a publisher and a subscriber (4)" },
    { name: "qos", short: "q", value: "QOS", doc: "Quality of Service: 0, 1 or 2 (0)" },
    { name: "size", value: "BYTES", doc: "Bytes of each payload, from 12 on (64)" },
    {
      name: "rate",
      value: "N",
      doc: "Messages in a second of each publisher (as many as it takes)",
    },
    { name: "window", value: "N", doc: "QoS 1 and 2: messages in flight of each publisher (20)" },
    { name: "seconds", value: "N", doc: "How long it is measured (5)" },
    { name: "json", doc: "The figures as one JSON object" },
    { name: "allow-remote", doc: "Load a broker that is not on this machine" },
  ],
  run: bench,
};

async function bench(args: ParsedArguments, io: CliIo): Promise<number> {
  const plan = await planOf(args, io);
  if (isProblem(plan)) return refuseOptions("bench", plan, io);
  // Only here, so that the other commands do not wait for it to be loaded.
  const { clientErrorOf, Load } = await import("../client/mod.ts");
  const { seconds } = plan;
  const load = new Load({
    ...plan,
    progress: ({ secondsDone, received }) =>
      io.err(`${secondsDone} of ${seconds} s: ${grouped(received)} messages received\n`),
  });
  const signal = terminationSignal(() => Deno.exit(EXIT_CODE.interrupted));
  try {
    const figures = await Promise.race([load.run(), signal.received.then(() => null)]);
    if (figures === null) {
      await load.close();
      return EXIT_CODE.interrupted;
    }
    io.out(args.flags.has("json") ? figuresJson(plan, figures) : figuresTable(plan, figures));
    return EXIT_CODE.ok;
  } catch (error) {
    const { kind, message } = clientErrorOf(error);
    io.err(`relayq bench failed: ${printable(message)}\n`);
    return EXIT_CODE_OF[kind];
  } finally {
    signal.cancel();
  }
}

async function planOf(args: ParsedArguments, io: CliIo): Promise<LoadPlan | OptionProblem> {
  const host = args.values.get("host")?.[0] ?? "127.0.0.1";
  if (!isLoopbackHost(host) && !args.flags.has("allow-remote")) {
    return usage(`${quote(host)} is not this machine: a load on others needs --allow-remote`);
  }
  const qos = qosOf(args);
  if (isProblem(qos)) return qos;
  const numbers = {
    pairs: numberOf(args, "pairs", { preset: 4, max: PAIRS_MAX }),
    payloadBytes: numberOf(args, "size", { preset: 64, min: 12, max: PAYLOAD_BYTES_MAX }),
    ratePerS: numberOf(args, "rate", { preset: 0, max: 1_000_000 }),
    window: numberOf(args, "window", { preset: 20, max: 10_000 }),
    seconds: numberOf(args, "seconds", { preset: 5, max: 86_400, isWhole: false }),
  };
  for (const number of Object.values(numbers)) if (isProblem(number)) return number;
  const target = await targetOf(args, io);
  if (isProblem(target)) return target;
  const { stream, ...credentials } = target;
  return {
    ...credentials,
    ...numbers as Record<keyof typeof numbers, number>,
    target: stream,
    qos,
  };
}

function figuresTable(plan: LoadPlan, figures: LoadFigures): string {
  const { pairs, qos, payloadBytes, ratePerS, seconds } = plan;
  const { sent, acknowledged, received, lost, disorder, latency, deliveriesPerS } = figures;
  const rate = ratePerS === 0 ? "as fast as it goes" : `${grouped(ratePerS)} msg/s each`;
  const percent = (100 * lost / Math.max(1, sent)).toFixed(2);
  const rows: [string, string][] = [
    ["load", `${pairs} pairs, QoS ${qos}, ${grouped(payloadBytes)} bytes, ${rate}, ${seconds} s`],
    ["deliveries", `${grouped(deliveriesPerS)} msg/s`],
    ["payload", `${(deliveriesPerS * payloadBytes / 1e6).toFixed(2)} MB/s`],
    ["sent", grouped(sent)],
    ...qos > 0 ? [["acknowledged", grouped(acknowledged)] as [string, string]] : [],
    ["received", grouped(received)],
    ["lost", `${grouped(lost)} (${percent} %)`],
    ["doubled or out of order", grouped(disorder)],
    ["latency p50", milliseconds(latency.p50Ms)],
    ["latency p90", milliseconds(latency.p90Ms)],
    ["latency p99", milliseconds(latency.p99Ms)],
    ["latency p99.9", milliseconds(latency.p999Ms)],
    ["latency max", milliseconds(latency.maxMs)],
    ["generator", `${figures.generatorCpuPercent.toFixed(0)} % of a core`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`);
  if (figures.generatorCpuPercent >= BUSY_PERCENT) {
    lines.push("The generator was at its own limit: the broker may be able to do more.\n");
  }
  return lines.join("");
}

function figuresJson(plan: LoadPlan, figures: LoadFigures): string {
  const { pairs, qos, payloadBytes, ratePerS, seconds } = plan;
  const { latency, deliveriesPerS, generatorCpuPercent, ...counts } = figures;
  return JSON.stringify({
    pairs,
    qos,
    payload_bytes: payloadBytes,
    rate_per_s: ratePerS,
    seconds,
    ...counts,
    deliveries_per_s: deliveriesPerS,
    latency_ms: {
      p50: latency.p50Ms,
      p90: latency.p90Ms,
      p99: latency.p99Ms,
      p999: latency.p999Ms,
      max: latency.maxMs,
    },
    generator_cpu_percent: generatorCpuPercent,
  }) + "\n";
}

function milliseconds(ms: number): string {
  return Number.isNaN(ms) ? "–" : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

function grouped(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}
