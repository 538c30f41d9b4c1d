import { assertEquals } from "@std/assert";
import { type Config, type Diagnostic, loadConfig } from "../../src/config/mod.ts";

/** The configuration of a text that must be without a flaw. */
export function accepted(text: string): Config {
  const loaded = loadConfig(text);
  assertEquals(loaded.diagnostics, [], text.slice(0, 2000));
  if (!loaded.ok) throw new Error("no diagnostics and yet no configuration");
  return loaded.config;
}

/** The diagnostics of a text, which may be none. */
export function diagnose(text: string): readonly Diagnostic[] {
  const loaded = loadConfig(text);
  assertEquals(loaded.ok, loaded.diagnostics.length === 0);
  return loaded.diagnostics;
}

/** Diagnostics as `LINE:COLUMN key: message -> suggestion`, which reads better in a list. */
export function summarize(text: string): string[] {
  return diagnose(text).map(({ line, column, message, suggestion }) =>
    `${line}:${column} ${message}${suggestion === undefined ? "" : ` -> ${suggestion}`}`
  );
}

/** The value of a configuration at a path of the file, as `limits.connections_max`. */
export function valueAt(config: Config, path: string): unknown {
  const [table = "", key = ""] = path.split(".").map(camelCase);
  const found = (config as unknown as Record<string, unknown>)[table];
  const holder = (Array.isArray(found) ? found[0] : found) as Record<string, unknown>;
  return holder[key];
}

function camelCase(name: string): string {
  const [first = "", ...rest] = name.split("_");
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
