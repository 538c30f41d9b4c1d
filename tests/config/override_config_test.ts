import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG, overrideConfig } from "../../src/config/mod.ts";
import { accepted } from "./_loading.ts";

Deno.test("without overrides the configuration stays as it is", () => {
  assertEquals(overrideConfig(DEFAULT_CONFIG, {}), { ok: true, config: DEFAULT_CONFIG });
  assertEquals(overrideConfig(DEFAULT_CONFIG, { listen: [] }), {
    ok: true,
    config: DEFAULT_CONFIG,
  });
});

Deno.test("overrides take the place of all listeners and of the data directory, and of nothing else", () => {
  const result = overrideConfig(DEFAULT_CONFIG, {
    listen: ["127.0.0.1:0", "127.0.0.1:0"],
    dataDir: "/var/lib/x",
  });
  const listener = { ...DEFAULT_CONFIG.listeners[0]!, address: "127.0.0.1:0" };
  assertEquals(result, {
    ok: true,
    config: {
      ...DEFAULT_CONFIG,
      listeners: [listener, listener],
      store: { ...DEFAULT_CONFIG.store, dataDir: "/var/lib/x" },
    },
  });
  assertEquals(result.ok && Object.isFrozen(result.config.listeners[0]), true);
});

Deno.test("new listeners are under the rules of the file", () => {
  const reachable = overrideConfig(DEFAULT_CONFIG, {
    listen: ["0.0.0.0:1883", "[::1]:1", "[::1]:1"],
  });
  assertEquals(reachable, {
    ok: false,
    problems: [
      '"0.0.0.0:1883" can be reached from other machines and nobody is asked for a password: ' +
      "set security.password_file, or allow_anonymous = true to let everybody in, or use a " +
      "loopback address",
      'another listener has the address "[::1]:1" already',
    ],
  });
  assertEquals(overrideConfig(DEFAULT_CONFIG, { listen: ["x:1"], dataDir: "" }), {
    ok: false,
    problems: [
      'cannot listen on "x:1": the host must be an IP address or "localhost"',
      "the data directory must not be empty",
    ],
  });
  const many = Array<string>(65).fill("127.0.0.1:0");
  assertEquals(overrideConfig(DEFAULT_CONFIG, { listen: many }), {
    ok: false,
    problems: ["65 listeners are above the maximum of 64"],
  });
});

Deno.test("new listeners are anonymous only if every configured one is", () => {
  const open = accepted("[[listeners]]\nallow_anonymous = true");
  const listen = ["0.0.0.0:1883"];
  const result = overrideConfig(open, { listen });
  assertEquals(result.ok && result.config.listeners, [
    { ...DEFAULT_CONFIG.listeners[0]!, address: "0.0.0.0:1883", allowAnonymous: true },
  ]);
  const half = accepted(
    "[[listeners]]\nallow_anonymous = true\n[[listeners]]\naddress = '127.0.0.1:2'",
  );
  assertEquals(overrideConfig(half, { listen }).ok, false);
});
