import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { readText } from "./_files.ts";
import { quote } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** Longest capture, in characters: each message costs a few hundred. */
const CAPTURE_LENGTH_MAX = 268_435_456;

/** `relayq sparkplug`: recorded traffic of Edge Nodes, without a broker. */
export const sparkplugCommand: Command = {
  name: "sparkplug",
  summary: "Judge recorded traffic of Sparkplug Edge Nodes",
  details: `ACTION is
  report CAPTURE    judge the messages of a capture again, and report on each Edge Node: what of the
                    specification it broke, how often, and the last breach in words
The exit code is 5 if an Edge Node broke what misleads hosts, and 0 if there are remarks at most.`,
  words: ["ACTION", "CAPTURE"],
  options: [],
  run: sparkplug,
};

async function sparkplug(args: ParsedArguments, io: CliIo): Promise<number> {
  const [action = "", path = ""] = args.words;
  if (action !== "report") {
    io.err(`Cannot run sparkplug: ${quote(action)} is not report\n`);
    return EXIT_CODE.usage;
  }
  const reading = await readText(path, CAPTURE_LENGTH_MAX);
  if (!reading.ok) return refuse(io, path, reading.problem);
  // Only here, so that the other commands do not wait for it to be loaded.
  const { loadJudging } = await import("../sparkplug/mod.ts");
  const judging = await loadJudging();
  const entries = judging.parseCapture(reading.text);
  if ("problem" in entries) return refuse(io, path, entries.problem);
  const codec = await judging.PayloadCodec.load();
  const referee = judging.judgeCapture(entries, codec, judging.REFEREE_DEFAULTS);
  const reports = judging.reportsOf(referee);
  io.out(judging.reportText(reports));
  return reports.some(({ grade }) => grade === "violations") ? EXIT_CODE.denied : EXIT_CODE.ok;
}

function refuse(io: CliIo, path: string, problem: string): number {
  io.err(`Cannot read capture: ${path}: ${problem}\n`);
  return EXIT_CODE.config;
}
