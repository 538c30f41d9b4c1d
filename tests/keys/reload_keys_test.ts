/** Every key that can change while the broker runs is obeyed when it comes by a reload. */
import { assert, assertEquals } from "@std/assert";
import { compareConfigs } from "../../src/_server_config_change.ts";
import { type Config, configDocument, DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { NEEDS_OPENSSL, OPENSSL } from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { KEY_CASES } from "./_cases.ts";
import { tlsCases } from "./_tls_cases.ts";

/** A configuration in which every key has another value, as far as types go. */
function altogetherOther(config: Config): Config {
  return JSON.parse(
    JSON.stringify(config),
    (_, value) =>
      typeof value === "number"
        ? value + 1
        : typeof value === "boolean"
        ? !value
        : typeof value === "string"
        ? `${value}x`
        : value,
  );
}

const OTHER = altogetherOther(DEFAULT_CONFIG);
const LISTENER = { ...OTHER.listeners[0]!, address: DEFAULT_CONFIG.listeners[0]!.address };
const PRESENT = {
  ...DEFAULT_CONFIG,
  listeners: [{ ...DEFAULT_CONFIG.listeners[0]!, certificateFile: "some" }],
};
const { applied, needsRestart } = compareConfigs(PRESENT, { ...OTHER, listeners: [LISTENER] });

Deno.test("every key is applied at once or needs a restart, and is named as in the file", () => {
  const document = configDocument(DEFAULT_CONFIG);
  const names = Object.entries(document).flatMap(([table, keys]) =>
    Object.keys(Array.isArray(keys) ? keys[0]! : keys).map((key) => `${table}.${key}`)
  );
  const compared = [...applied, ...needsRestart, "listeners.address"];
  assertEquals(compared.toSorted(), names.toSorted());
});

/** Their cases start a process. */
const PROCESSES: ReadonlySet<string> = new Set([
  "listeners.allow_anonymous",
  "listeners.key_file",
  "service.drain_ms",
  "service.store_stuck_ms_max",
]);

TestBroker.throughReload = true;
for (const key of applied) {
  const check = KEY_CASES[key];
  // Those of the memory are run by tests/process.
  if (check === undefined || PROCESSES.has(key)) continue;
  const ignore = !OPENSSL && Object.hasOwn(tlsCases, key);
  const name = `the broker obeys ${key} after a reload${ignore ? NEEDS_OPENSSL : ""}`;
  Deno.test({
    name,
    ignore,
    async fn() {
      const before = TestBroker.reloads;
      await check();
      assert(TestBroker.reloads > before, "it was not about a broker that was reloaded");
    },
  });
}
