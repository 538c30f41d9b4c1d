/** The unit file agrees with the broker. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { EXIT_CODE } from "../../src/cli/mod.ts";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";

const UNIT = await Deno.readTextFile(new URL("../../scripts/relayq.service", import.meta.url));
/** Without comments; a key may stand several times. */
const SETTINGS = UNIT.split("\n").filter((line) => /^[A-Z]/.test(line)).map((line) => {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)] as const;
});

function setting(key: string): string {
  const found = SETTINGS.filter(([name]) => name === key);
  assertEquals(found.length, 1, key);
  return found[0]![1];
}

Deno.test("the supervisor waits longer than the broker takes to end by default", () => {
  const seconds = /^(\d+)s$/.exec(setting("TimeoutStopSec"))?.[1];
  assertGreater(Number(seconds) * 1000, DEFAULT_CONFIG.service.drainMs + 20_000);
});

Deno.test("it restarts after everything but a wrong configuration or command line", () => {
  assertEquals(setting("Restart"), "on-failure");
  const { config, usage } = EXIT_CODE;
  assertEquals(setting("RestartPreventExitStatus"), `${config} ${usage}`);
});

Deno.test("it has what notifications need: the type, the watchdog, local sockets and the rights", () => {
  assertEquals([setting("Type"), setting("NotifyAccess")], ["notify", "main"]);
  assert(setting("WatchdogSec") !== "");
  assert(setting("RestrictAddressFamilies").split(" ").includes("AF_UNIX"));
  const { serve } = deno.tasks;
  const [, env = ""] = /--allow-env=(\S+)/.exec(serve) ?? [];
  for (const name of ["JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"]) {
    assert(env.split(",").includes(name), name);
  }
  assert(serve.includes(" --unstable-net "));
});

Deno.test("it forbids nothing that the runtime cannot do without: it compiles as it runs", () => {
  assertEquals(SETTINGS.some(([key]) => key === "MemoryDenyWriteExecute"), false);
});
