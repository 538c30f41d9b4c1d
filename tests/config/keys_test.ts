import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { ALL_PATHS, BOOLEANS, headerOf, INTEGERS, nameOf, STRINGS, WORDS } from "./_all_keys.ts";
import { accepted, diagnose, summarize, valueAt } from "./_loading.ts";

Deno.test("the default configuration has exactly the keys and defaults of the list", () => {
  for (const key of [...INTEGERS, ...BOOLEANS, ...WORDS, ...STRINGS]) {
    assertEquals(valueAt(DEFAULT_CONFIG, key.path), key.default, key.path);
  }
  const count = Object.values(DEFAULT_CONFIG)
    .map((table) => Object.keys(Array.isArray(table) ? table[0] : table).length)
    .reduce((sum, length) => sum + length, 0);
  assertEquals(count, ALL_PATHS.length);
});

Deno.test("an empty file, blanks and comments alone give the default configuration", () => {
  for (const text of ["", "\n", "\uFEFF", " \t\r\n", "# nothing", "# nothing\r\n\n"]) {
    assertEquals(accepted(text), DEFAULT_CONFIG);
  }
});

Deno.test("the configuration and all its tables are frozen", () => {
  const config = accepted("[limits]\nsessions_max = 5");
  for (const frozen of [config, config.limits, config.listeners, config.listeners[0]]) {
    assertEquals(Object.isFrozen(frozen), true);
  }
});

for (const { path, default: normal, min, max, atMin = {}, atMax = {} } of INTEGERS) {
  Deno.test(`${path} takes ${min} and ${max} and nothing beyond`, () => {
    for (const [value, others] of [[min, atMin], [max, atMax]] as const) {
      const lines = Object.entries({ ...others, [path]: value }).map(([k, v]) =>
        k.startsWith("listeners.") ? `[[listeners]]\n${nameOf(k)} = ${v}` : `${k} = ${v}`
      );
      assertEquals(valueAt(accepted(lines.join("\n")), path), value);
    }
    const place = `3:${nameOf(path).length + 4}`;
    const below = summarize(`${headerOf(path)}\n\n${nameOf(path)} = ${min - 1}`);
    assertEquals(below, [`${place} ${path}: ${min - 1} is below the minimum of ${min}`]);
    const above = summarize(`${headerOf(path)}\n\n${nameOf(path)} = ${max + 1}`);
    assertEquals(above, [`${place} ${path}: ${max + 1} is above the maximum of ${max}`]);
  });

  Deno.test(`${path} takes nothing but an integer`, () => {
    const wrong = {
      '"7"': "a string",
      "true": "a boolean",
      [`${normal}.0`]: "a float",
      "1e3": "a float",
      "inf": "a float",
      "nan": "a float",
      "2026-01-02": "a date",
      "07:32:00": "a date",
      "[1]": "an array",
      "{ a = 1 }": "a table",
    };
    for (const [value, description] of Object.entries(wrong)) {
      assertEquals(summarize(`${headerOf(path)}\n${nameOf(path)} = ${value}`), [
        `2:${nameOf(path).length + 4} ${path}: must be an integer, not ${description}`,
      ]);
    }
  });
}

for (const { path, default: normal } of BOOLEANS) {
  Deno.test(`${path} takes true and false and nothing else`, () => {
    for (const value of [true, false]) {
      const config = accepted(`${headerOf(path)}\n${nameOf(path)} = ${value}`);
      assertEquals(valueAt(config, path), value);
    }
    for (const [value, what] of [["1", "an integer"], [`"${normal}"`, "a string"]]) {
      assertEquals(summarize(`${headerOf(path)}\n${nameOf(path)} = ${value}`), [
        `2:${nameOf(path).length + 4} ${path}: must be true or false, not ${what}`,
      ]);
    }
  });
}

for (const { path, values, beside = "", default: normal } of WORDS) {
  Deno.test(`${path} takes its words and no other`, () => {
    for (const value of values) {
      const lines = value === normal ? "" : beside;
      const config = accepted(`${headerOf(path)}\n${lines}${nameOf(path)} = "${value}"`);
      assertEquals(valueAt(config, path), value);
    }
    const [diagnostic] = diagnose(`${headerOf(path)}\n${nameOf(path)} = "qqqqqq"`);
    assertEquals(diagnostic?.key, path);
    assertEquals(diagnostic?.column, nameOf(path).length + 4);
    assertEquals(diagnostic?.suggestion, undefined);
    for (const value of values) {
      assertEquals(diagnostic?.message.includes(`"${value}"`), true, diagnostic?.message);
    }
    assertEquals(summarize(`${headerOf(path)}\n${nameOf(path)} = 1`), [
      `2:${nameOf(path).length + 4} ${path}: must be a string, not an integer`,
    ]);
  });
}

Deno.test("store.data_dir takes any path but an empty, endless or NUL-bearing one", () => {
  assertEquals(accepted('[store]\ndata_dir = "/var/lib/relayq"').store.dataDir, "/var/lib/relayq");
  const state = "1:18 store.data_dir: must not";
  assertEquals(summarize('store.data_dir = ""'), [`${state} be empty`]);
  assertEquals(summarize('store.data_dir = "a\\u0000b"'), [`${state} hold a NUL character`]);
  assertEquals(accepted(`store.data_dir = "${"x".repeat(4095)}"`).store.dataDir.length, 4095);
  assertEquals(summarize(`store.data_dir = "${"x".repeat(4096)}"`), [
    `${state} be longer than 4095 characters`,
  ]);
  assertEquals(summarize("store.data_dir = 5"), [
    "1:18 store.data_dir: must be a string, not an integer",
  ]);
});

Deno.test("listeners.address must be a string", () => {
  assertEquals(summarize("[[listeners]]\naddress = 1883"), [
    "2:11 listeners.address: must be a string, not an integer",
  ]);
});

Deno.test("integers may be written in every way of TOML, and -0 is 0", () => {
  for (const [text, value] of [["1_000", 1000], ["+7", 7], ["0x10", 16], ["0o17", 15]] as const) {
    assertEquals(accepted(`limits.sessions_max = ${text}`).limits.sessionsMax, value);
  }
  assertEquals(
    Object.is(accepted("limits.keep_alive_max_ms = -0").limits.keepAliveMaxMs, 0),
    true,
  );
});

Deno.test("an integer beyond what a number can hold exactly is out of bounds", () => {
  assertEquals(summarize("session.expiry_ms = 99999999999999999999"), [
    "1:21 session.expiry_ms: 99999999999999999999 is above the maximum of 315360000000",
  ]);
});
