import { assertEquals } from "@std/assert";
import { parse } from "@std/toml";
import { type Config, DEFAULT_CONFIG, exampleConfig, loadConfig } from "../../src/config/mod.ts";
import { BOOLEANS, INTEGERS, nameOf, WORDS } from "./_all_keys.ts";
import { accepted } from "./_loading.ts";

const MUTATIONS = 4000;
const RANDOM_CONFIGS = 500;
const FRAGMENTS = [
  ...[
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "#",
    "=",
    ".",
    ",",
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "\\u00",
    "\0",
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "[limits]",
    "[[listeners]]",
    "listeners = [",
    "log = {",
    "💡",
  ],
  ...[
    "true",
    "-1",
    "1e9",
    "0x",
    "_",
    "\uFEFF",
    "\ud800",
    "__proto__",
    "a = 1\n",
    "= = =",
    "1979-05-27",
  ],
];

Deno.test("no mutation of the example makes loading throw, misplace or contradict the parser", () => {
  const random = new Random(0x5eed);
  const bare = exampleConfig().replaceAll(/^#.*\n/gm, "");
  let acceptedCount = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    const text = mutate(round % 4 === 0 ? exampleConfig() : bare, random);
    const loaded = loadConfig(text);
    const seen = `round ${round}: ${JSON.stringify(text.slice(0, 300))}`;
    const lines = text.replace(/^\uFEFF/, "").split("\n");
    for (const { line, column, message } of loaded.diagnostics) {
      const length = lines[line - 1]?.length ?? -1;
      assertEquals(column >= 1 && column <= length + 1, true, `${seen}: ${message}`);
      assertEquals(/\n|undefined|\[object/.test(message), false, `${seen}: ${message}`);
    }
    assertEquals(loaded.ok, loaded.diagnostics.length === 0, seen);
    if (!loaded.ok) continue;
    acceptedCount += 1;
    assertEquals(loaded.config, overDefaults(parse(text.replace(/^\uFEFF/, ""))), seen);
  }
  assertEquals(acceptedCount > MUTATIONS / 20, true, "too few left to compare");
  assertEquals(acceptedCount < MUTATIONS / 2, true, "too few mutations that matter");
});

Deno.test("a random valid configuration in a random way of writing is read back as it was", () => {
  const random = new Random(0xc0ffee);
  for (let round = 0; round < RANDOM_CONFIGS; round++) {
    const values = randomValues(random);
    const text = write(values, random);
    assertEquals(accepted(text), overDefaults(nested(values)), text);
  }
});

/** A small seeded generator (mulberry32): the same seed gives the same test. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

function mutate(example: string, random: Random): string {
  let text = example;
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(text.length + 1);
    const lines = text.split("\n");
    const line = random.below(lines.length);
    switch (random.below(5)) {
      case 0:
        text = text.slice(0, at) + random.pick(FRAGMENTS) + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + 1 + random.below(20));
        break;
      case 2:
        text = lines.toSpliced(line, 1).join("\n");
        break;
      case 3:
        text = lines.toSpliced(random.below(lines.length), 0, lines[line] ?? "").join("\n");
        break;
      default:
        text = text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + 1);
    }
  }
  return text;
}

/** The configuration that a parsed file without mistakes means. */
function overDefaults(parsed: Record<string, unknown>): Config {
  const config: Record<string, unknown> = { ...DEFAULT_CONFIG };
  for (const [table, value] of Object.entries(parsed)) {
    const name = camelCase(table);
    config[name] = Array.isArray(value)
      ? value.map((item) => ({ ...DEFAULT_CONFIG.listeners[0], ...camelCased(item) }))
      : { ...config[name] as object, ...camelCased(value as object) };
  }
  return config as unknown as Config;
}

function camelCased(table: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [camelCase(key), value]));
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

type Values = Map<string, number | boolean | string>;

function randomValues(random: Random): Values {
  const values: Values = new Map();
  const related =
    /water|_bytes_max|outbox\.bytes|queue\.bytes|subscriptions|lock_out|_percent|damp_ms/;
  for (const { path, min, max } of INTEGERS) {
    if (related.test(path) || isOfListeners(path) || random.below(2) === 0) continue;
    values.set(path, random.pick([min, max, min + random.below(max - min)]));
  }
  const low = random.below(1000);
  values.set("outbox.low_water_bytes", low);
  values.set("outbox.high_water_bytes", low + 1 + random.below(20));
  for (const { path } of BOOLEANS) {
    if (!isOfListeners(path)) values.set(path, random.below(2) === 0);
  }
  for (const { path, values: words } of WORDS) {
    if (!isOfListeners(path)) values.set(path, random.pick(words));
  }
  // What asks for users is a mistake where there are none.
  if (values.get("security.client_identifier") !== "any") values.set("security.password_file", "p");
  return values;
}

/** Their table is repeated: the keys of it have tests of their own. */
function isOfListeners(path: string): boolean {
  return path.startsWith("listeners.");
}

function nested(values: Values): Record<string, unknown> {
  const tables: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of values) {
    const table = path.slice(0, path.indexOf("."));
    (tables[table] ??= {})[nameOf(path)] = value;
  }
  return tables;
}

/** Writes every table in one of the ways of TOML; the dotted and inline ones must stand first. */
function write(values: Values, random: Random): string {
  const end = random.pick(["\n", "\r\n"]);
  const top: string[] = [];
  const headed: string[] = [];
  for (const [table, keys] of Object.entries(nested(values))) {
    const entries = Object.entries(keys as object)
      .map(([key, value]) => [writeKey(key, random), writeValue(value, random)] as const);
    const way = random.below(3);
    if (way === 0) {
      for (const [key, value] of entries) top.push(`${writeKey(table, random)} . ${key}=${value}`);
    } else if (way === 1) {
      top.push(`${table} = { ${entries.map(([key, value]) => `${key} = ${value}`).join(" , ")} }`);
    } else {
      headed.push(`[ ${writeKey(table, random)} ] # x = 1`);
      for (const [key, value] of entries) {
        headed.push(` ${key} = ${value}${random.pick(["", "#"])}`);
      }
    }
  }
  return random.pick(["", "\uFEFF"]) + [...top, ...headed].join(end + random.pick(["", end]));
}

function writeKey(name: string, random: Random): string {
  return random.pick([name, name, `"${name}"`, `'${name}'`]);
}

function writeValue(value: unknown, random: Random): string {
  if (typeof value === "string") {
    return random.pick([`"${value}"`, `'${value}'`, `"""${value}"""`, `'''\n${value}'''`]);
  }
  if (typeof value !== "number") return String(value);
  const grouped = String(value).replace(/\B(?=(\d{3})+$)/g, "_");
  return random.pick([String(value), `+${value}`, grouped, `0x${value.toString(16)}`]);
}
