import { type Config, DEFAULT_CONFIG, loadConfig, type LoadedConfig } from "../config/mod.ts";
import type { CliIo } from "./cli_io.ts";
import { readConfigFile } from "./_files.ts";
import { formatDiagnostic } from "./_format.ts";

/** The configuration in a file, or the defaults without one; tells what is wrong with it. */
export async function readConfig(path: string | undefined, io: CliIo): Promise<Config | undefined> {
  if (path === undefined) return DEFAULT_CONFIG;
  const file = await readConfigFile(path);
  if (!file.ok) {
    io.err(`Cannot read config: ${path}: ${file.problem}\n`);
    return undefined;
  }
  const loaded = await loadWhole(file.text);
  if (loaded.ok) return loaded.config;
  for (const diagnostic of loaded.diagnostics) io.err(formatDiagnostic(path, diagnostic));
  return undefined;
}

/** Loads a configuration, and has checked what only the room of Sparkplug knows. */
export async function loadWhole(text: string): Promise<LoadedConfig> {
  if (!text.includes("overrides")) return loadConfig(text);
  // Only for who has written some: the others do not wait for the rules to be loaded.
  const { loadJudging } = await import("../sparkplug/mod.ts");
  const { overrideMistake } = await loadJudging();
  return loadConfig(text, { overrides: overrideMistake });
}
