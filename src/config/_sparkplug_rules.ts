/** What must hold between the keys about Sparkplug. */
import type { CheckedDocument } from "./_check_document.ts";
import type { CheckedValue } from "./_check_value.ts";
import type { TomlProblem } from "./_toml_tree.ts";

/** Keys that would do nothing, though somebody has set them. */
export function sparkplugProblems(document: CheckedDocument): TomlProblem[] {
  const keys = document.get("sparkplug")?.[0]?.values;
  if (keys === undefined) return [];
  return [captureProblem(keys), valuesProblem(keys), alarmProblem(keys)].filter((problem) =>
    problem !== null
  );
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

/** Who waits for alarms should know that none will come. */
function alarmProblem(keys: Keys): TomlProblem | null {
  const url = keys.get("alarm_url");
  if (url?.valid !== true || url.value === "") return null;
  const key = "sparkplug.alarm_url";
  const offset = url.offset ?? 0;
  if (!/^https?:\/\/[^\s/]/.test(String(url.value)) || !URL.canParse(String(url.value))) {
    return { offset, key, message: `${key}: ${url.raw} is no URL that begins with http` };
  }
  const mode = keys.get("mode");
  if (mode?.valid !== true || mode.value === "monitor" || mode.value === "strict") return null;
  return { offset, key, message: `${key}: needs sparkplug.mode = "monitor" or "strict"` };
}
