import { addressListProblem } from "./_address_list.ts";
import type { EnumKey, IntegerKey, KeySchema, StringKey } from "./_schema_types.ts";
import { quote } from "./_text.ts";
import type { TomlLeaf, TomlNode, TomlProblem } from "./_toml_tree.ts";
import { parseListenAddress } from "./listen_address.ts";
import { parseLogLevels } from "./log_levels.ts";
import { nearestName } from "./nearest_name.ts";

/** The value of one key: from the file, where it has an `offset`, or else its default. */
export interface CheckedValue {
  readonly value: unknown;
  /** False if this value was reported; then nothing may be concluded from it. */
  readonly valid: boolean;
  /** The value as written, for messages. */
  readonly raw: string;
  readonly offset?: number;
}

interface Context {
  readonly path: string;
  readonly report: (problem: TomlProblem) => void;
}

/** Most UTF-16 code units of a path: what Linux takes, its end included. */
const PATH_LENGTH_MAX = 4095;

const EXPECTED = {
  integer: "an integer",
  boolean: "true or false",
  enum: "a string",
  string: "a string",
} as const;

/** Checks type and bounds of the value that the file gives to `key`; reports at most one problem. */
export function checkValue(
  key: KeySchema,
  node: TomlNode,
  { path, report }: Context,
): CheckedValue {
  const { offset } = node;
  const raw = node.kind === "leaf" ? node.raw : "";
  const failed: CheckedValue = { value: undefined, valid: false, raw, offset };
  if (node.kind === "leaf" && node.type === "invalid") return failed;
  const problem = problemOf(key, node);
  if (problem !== undefined) {
    const { message, ...rest } = problem;
    report({ offset, key: path, message: `${path}: ${message}`, ...rest });
    return failed;
  }
  return { value: node.kind === "leaf" ? node.value : undefined, valid: true, raw, offset };
}

/** Says in words what a node is, for "must be …, not …". */
export function describeNode(node: TomlNode): string {
  if (node.kind === "table") return "a table";
  if (node.kind === "array") return node.origin === "header" ? "an array of tables" : "an array";
  return node.type === "integer" ? "an integer" : `a ${node.type}`;
}

interface ValueProblem {
  readonly message: string;
  readonly suggestion?: string;
}

function problemOf(key: KeySchema, node: TomlNode): ValueProblem | undefined {
  const wanted = key.type === "enum" ? "string" : key.type;
  if (node.kind !== "leaf" || node.type !== wanted) {
    return { message: `must be ${EXPECTED[key.type]}, not ${describeNode(node)}` };
  }
  if (key.type === "integer") return integerProblem(key, node);
  if (key.type === "enum") return enumProblem(key, String(node.value));
  if (key.type === "string") return stringProblem(key, String(node.value));
  return undefined;
}

function integerProblem(key: IntegerKey, { value, raw }: TomlLeaf): ValueProblem | undefined {
  const number = Number(value);
  const written = raw.length > 40 ? `${raw.slice(0, 40)}…` : raw;
  if (number < key.min) return { message: `${written} is below the minimum of ${key.min}` };
  if (number > key.max) return { message: `${written} is above the maximum of ${key.max}` };
  return undefined;
}

function enumProblem(key: EnumKey, value: string): ValueProblem | undefined {
  if (key.values.includes(value)) return undefined;
  const allowed = key.values.map((word) => `"${word}"`).join(", ");
  const suggestion = nearestName(value.toLowerCase().replaceAll("-", "_"), key.values);
  return {
    message: key.values.length === 1
      ? `${quote(value)} is not ${allowed}, the only value so far`
      : `${quote(value)} is not one of ${allowed}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function stringProblem(key: StringKey, value: string): ValueProblem | undefined {
  if (value === "" && key.form.endsWith("or nothing")) return undefined;
  if (key.form.startsWith("listen address")) {
    const address = parseListenAddress(value);
    if (!("problem" in address)) return undefined;
    const { problem, ...rest } = address;
    return { message: `cannot listen on ${quote(value)}: ${problem}`, ...rest };
  }
  if (key.form === "addresses") {
    const message = addressListProblem(value);
    return message === undefined ? undefined : { message };
  }
  if (key.form === "sha256 or nothing") {
    if (/^[0-9a-f]{64}$/i.test(value)) return undefined;
    return { message: "must be a SHA-256 in 64 hexadecimal digits" };
  }
  if (key.form === "log levels") {
    const levels = parseLogLevels(value);
    if (!("problem" in levels)) return undefined;
    const { problem, ...rest } = levels;
    return { message: problem, ...rest };
  }
  // Of a URL the relations of its table tell more.
  if (key.form === "text" || key.form === "url or nothing") return undefined;
  const problem = pathProblem(value);
  return problem === undefined ? undefined : { message: problem };
}

/** Why `value` cannot be a path, or `undefined` if it can. */
export function pathProblem(value: string): string | undefined {
  if (value === "") return "must not be empty";
  if (value.includes("\0")) return "must not hold a NUL character";
  if (value.length > PATH_LENGTH_MAX) {
    return `must not be longer than ${PATH_LENGTH_MAX} characters`;
  }
  return undefined;
}
