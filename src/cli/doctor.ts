import { type Config, DEFAULT_CONFIG } from "../config/mod.ts";
import type { Finding, FindingLevel } from "../doctor/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { readConfigFile } from "./_files.ts";
import { printable } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { loadWhole } from "./_read_config.ts";

/** `relayq doctor`: everything that a broker depends on, looked at in one go. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look at all that the broker depends on, and say what to fix",
  details:
    `It looks at the configuration FILE (the defaults without one), the files it names, certificates and
revocation lists, what other machines can reach, the data directory and its disk, ports, descriptors,
memory and the clock. Run it as the user that the broker runs as. A broker that runs is not disturbed.
The exit code is 1 if there are errors, 5 if there are warnings only, and 0 otherwise.`,
  words: ["[FILE]"],
  options: [
    { name: "data-dir", value: "DIR", doc: "Data directory instead of the configured one" },
    { name: "json", doc: "All findings as one JSON object" },
    { name: "quiet", doc: "Only what there is to fix" },
  ],
  run: doctor,
};

const TITLES: Readonly<Record<FindingLevel, string>> = {
  ok: "ok",
  note: "note",
  warning: "WARNING",
  error: "ERROR",
};

async function doctor(args: ParsedArguments, io: CliIo): Promise<number> {
  const [path] = args.words;
  const findings: Finding[] = [];
  const config = await configOf(path, findings);
  if (config !== null) {
    // Only here, so that the other commands do not wait for it to be loaded.
    const { examine } = await import("../doctor/mod.ts");
    const dataDir = args.values.get("data-dir")?.[0] ?? config.store.dataDir;
    const circumstances = { configPath: path ?? null, nowMs: Date.now() };
    const examined = { ...config, store: { ...config.store, dataDir } };
    findings.push(...await examine(examined, circumstances));
  }
  const errors = findings.filter(({ level }) => level === "error").length;
  const warnings = findings.filter(({ level }) => level === "warning").length;
  if (args.flags.has("json")) io.out(`${JSON.stringify({ errors, warnings, findings })}\n`);
  else {
    for (const finding of findings) {
      const isQuiet = finding.level === "ok" || finding.level === "note";
      if (!isQuiet || !args.flags.has("quiet")) io.out(textOf(finding));
    }
    io.out(`${counted(errors, "error")}, ${counted(warnings, "warning")}\n`);
  }
  if (errors > 0) return EXIT_CODE.config;
  return warnings > 0 ? EXIT_CODE.denied : EXIT_CODE.ok;
}

async function configOf(path: string | undefined, findings: Finding[]): Promise<Config | null> {
  const about = "configuration";
  if (path === undefined) {
    findings.push({ about, level: "note", text: "no file was named: these are the defaults" });
    return DEFAULT_CONFIG;
  }
  const file = await readConfigFile(path);
  if (!file.ok) {
    const fix = `name a file that can be read; "relayq init" writes one`;
    findings.push({ about, level: "error", text: `${path}: ${file.problem}`, fix });
    return null;
  }
  const loaded = await loadWhole(file.text);
  if (loaded.ok) {
    findings.push({ about, level: "ok", text: `${path}: no mistakes` });
    return loaded.config;
  }
  for (const { line, column, message, suggestion } of loaded.diagnostics) {
    const text = `${path}:${line}:${column}: ${message}`;
    const fix = suggestion === undefined ? "correct the file" : `did you mean "${suggestion}"?`;
    findings.push({ about, level: "error", text, fix });
  }
  return null;
}

function textOf({ about, level, text, fix }: Finding): string {
  const line = `${TITLES[level].padEnd(8)}${about.padEnd(15)}${printable(text)}\n`;
  return fix === undefined ? line : `${line}${" ".repeat(23)}to fix: ${printable(fix)}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
