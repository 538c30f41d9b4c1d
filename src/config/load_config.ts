import { buildConfig } from "./_build_config.ts";
import { checkDocument } from "./_check_document.ts";
import { checkOverrides, type OverrideCheck } from "./_override_mistake.ts";
import { checkRelations } from "./_relations.ts";
import { LineIndex } from "./_text.ts";
import { readToml } from "./_toml_reader.ts";
import type { TomlProblem } from "./_toml_tree.ts";
import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** A configuration without a flaw, or else everything that is wrong with the text. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly diagnostics: readonly [] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What other rooms know of the values in a configuration. */
export interface ConfigChecks {
  /** Without it `sparkplug.overrides` may say anything. */
  readonly overrides?: OverrideCheck;
}

/** Most UTF-16 code units of a configuration file: 1 Mi. */
export const CONFIG_LENGTH_MAX = 1_048_576;

/**
 * Reads a configuration from the text of a TOML file. A key that is not there has its default. All
 * mistakes are reported, in the order of the file, and any mistake at all means no configuration.
 * A byte order mark and CRLF are accepted. Never throws and does no I/O.
 */
export function loadConfig(text: string, checks: ConfigChecks = {}): LoadedConfig {
  if (text.length > CONFIG_LENGTH_MAX) {
    const message = `the file is longer than ${CONFIG_LENGTH_MAX} characters`;
    return { ok: false, diagnostics: [{ line: 1, column: 1, key: "", message }] };
  }
  const toml = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const { root, problems } = readToml(toml);
  const all = [...problems];
  const document = checkDocument(root, (problem) => all.push(problem));
  checkRelations(document, (problem) => all.push(problem));
  const mistake = checks.overrides && checkOverrides(document, checks.overrides);
  if (mistake) all.push(mistake);
  if (all.length === 0) return { ok: true, config: buildConfig(document), diagnostics: [] };
  return { ok: false, diagnostics: toDiagnostics(toml, all) };
}

function toDiagnostics(text: string, problems: TomlProblem[]): Diagnostic[] {
  const lines = new LineIndex(text);
  const inOrder = problems.toSorted((a, b) => a.offset - b.offset);
  return inOrder.map(({ offset, key, message, suggestion, firstOffset }) => {
    const since = firstOffset === undefined
      ? ""
      : `, on line ${lines.positionAt(firstOffset).line}`;
    return {
      ...lines.positionAt(offset),
      key,
      message: message + since,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  });
}
