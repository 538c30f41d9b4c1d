import { assertEquals } from "@std/assert";
import { checkLoading, mutateText } from "../../fuzz/config.ts";
import { Random } from "../../fuzz/random.ts";
import { exampleConfig } from "../../src/config/mod.ts";
import { BOOLEANS, INTEGERS, nameOf, WORDS } from "./_all_keys.ts";
import { accepted } from "./_loading.ts";
import { overDefaults } from "./_over_defaults.ts";

/** Whole files: small ones are the business of the fuzzer. */
const MUTATIONS = 400;
const RANDOM_CONFIGS = 500;
Deno.test("no mutation of the example makes loading throw, misplace or contradict the parser", () => {
  const random = new Random(0x5eed);
  const bare = exampleConfig().replaceAll(/^#.*\n/gm, "");
  let acceptedCount = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    let text = round % 4 === 0 ? exampleConfig() : bare;
    for (let edits = 1 + random.below(4); edits > 0; edits--) text = mutateText(text, random);
    if (checkLoading(text)) acceptedCount++;
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
  if (values.get("admin.client_certificates") !== "none") {
    for (const key of ["certificate_file", "key_file", "ca_file"]) values.set(`admin.${key}`, "p");
  }
  // And so is what needs a mode that is off.
  if (values.get("sparkplug.mode") === "off") values.set("sparkplug.last_values", false);
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
