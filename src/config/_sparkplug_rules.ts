/** What must hold between the keys about Sparkplug. */
import type { CheckedDocument } from "./_check_document.ts";
import type { CheckedValue } from "./_check_value.ts";
import type { TomlProblem } from "./_toml_tree.ts";

/** Keys that would do nothing, though somebody has set them. */
export function sparkplugProblems(document: CheckedDocument): TomlProblem[] {
  const keys = document.get("sparkplug")?.[0]?.values;
  if (keys === undefined) return [];
  return [captureProblem(keys), valuesProblem(keys)].filter((problem) => problem !== null);
}

type Keys = ReadonlyMap<string, CheckedValue>;

/** A capture of nothing would look like an Edge Node that is silent. */
function captureProblem(keys: Keys): TomlProblem | null {
  const file = keys.get("capture_file");
  if (file?.valid !== true || file.value === "") return null;
  const mode = keys.get("mode");
  const recorded = keys.get("recorded_messages_max");
  const judges = mode?.value === "monitor" || mode?.value === "strict";
  const key = "sparkplug.capture_file";
  const offset = file.offset ?? 0;
  if (mode?.valid === true && !judges) {
    return { offset, key, message: `${key}: needs sparkplug.mode = "monitor" or "strict"` };
  }
  if (recorded?.valid !== true || recorded.value !== 0) return null;
  return { offset, key, message: `${key}: needs sparkplug.recorded_messages_max above 0` };
}

/** Values that nobody takes down would look like a plant that is empty. */
function valuesProblem(keys: Keys): TomlProblem | null {
  const wanted = keys.get("last_values");
  if (wanted?.value !== true || keys.get("mode")?.value !== "off") return null;
  const key = "sparkplug.last_values";
  return {
    offset: wanted.offset ?? 0,
    key,
    message: `${key}: needs another sparkplug.mode than "off"`,
  };
}
