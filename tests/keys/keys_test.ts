/** Every key of the configuration does something: a key that no code reads would fail here. */
import { assertEquals } from "@std/assert";
import { configReference } from "../../src/config/mod.ts";
import { NEEDS_OPENSSL, OPENSSL } from "../support/test_authority.ts";
import { memoryCases } from "../process/_memory_cases.ts";
import { KEY_CASES } from "./_cases.ts";
import { adminTlsCases } from "./_admin_tls_cases.ts";
import { tlsCases } from "./_tls_cases.ts";

const NEED_OPENSSL = { ...tlsCases, ...adminTlsCases };

for (const [key, check] of Object.entries(KEY_CASES)) {
  const ignore = !OPENSSL && Object.hasOwn(NEED_OPENSSL, key);
  Deno.test({ name: `the broker obeys ${key}${ignore ? NEEDS_OPENSSL : ""}`, ignore, fn: check });
}

Deno.test("every key of the reference has a case that a running broker obeys it", () => {
  const rows = configReference().matchAll(/^\| `([^`]+)`/gm);
  const keys = [...rows].map((row) => row[1]!.replace("[[listeners]] ", "listeners."));
  // Those of the memory are run by tests/process.
  const cases = { ...KEY_CASES, ...memoryCases };
  assertEquals(keys.filter((key) => cases[key] === undefined), []);
  assertEquals(Object.keys(cases).length, keys.length);
});
