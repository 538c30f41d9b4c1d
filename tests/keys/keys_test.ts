/** Every key of the configuration does something: a key that no code reads would fail here. */
import { assertEquals } from "@std/assert";
import { configReference } from "../../src/config/mod.ts";
import { KEY_CASES } from "./_cases.ts";

for (const [key, check] of Object.entries(KEY_CASES)) {
  Deno.test(`the broker obeys ${key}`, check);
}

Deno.test("every key of the reference has a case that a running broker obeys it", () => {
  const rows = configReference().matchAll(/^\| `([^`]+)`/gm);
  const keys = [...rows].map((row) => row[1]!.replace("[[listeners]] ", "listeners."));
  assertEquals(keys.filter((key) => KEY_CASES[key] === undefined), []);
  assertEquals(Object.keys(KEY_CASES).length, keys.length);
});
