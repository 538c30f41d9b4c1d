import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { accepted, diagnose, summarize } from "./_loading.ts";

Deno.test("a diagnostic has line, column, key, message and suggestion", () => {
  assertEquals(diagnose("[limits]\n  conections_max = 5\n"), [{
    line: 2,
    column: 3,
    key: "limits.conections_max",
    message: "limits.conections_max: unknown key",
    suggestion: "connections_max",
  }]);
});

Deno.test("an unknown key near no other has no suggestion", () => {
  assertEquals(diagnose("[log]\nzzzzzz = 5"), [
    { line: 2, column: 1, key: "log.zzzzzz", message: "log.zzzzzz: unknown key" },
  ]);
});

Deno.test("unknown keys: what was meant", () => {
  const meant: Record<string, string> = {
    "limits.connectTimeoutMs": "connect_timeout_ms",
    "limits.connect-timeout-ms": "connect_timeout_ms",
    "limits.CONNECT_TIMEOUT_MS": "connect_timeout_ms",
    "limits.connect_timeout": "connect_timeout_ms",
    "limits.conenct_timeout_ms": "connect_timeout_ms",
    "limits.session_max": "sessions_max",
    "queue.packet_bytes_max": "limits.packet_bytes_max",
    "queue.packetBytesMax": "limits.packet_bytes_max",
    "queue.paket_bytes_max": "limits.packet_bytes_max",
    "limits.messages_max": "queue.messages_max",
    "limits.high_water_bytes": "outbox.high_water_bytes",
    "session.expiry": "expiry_ms",
    "outbox.full": "queue.full",
    "sys_topics.level": "log.level",
    "connections_max": "limits.connections_max",
    "dataDir": "store.data_dir",
    "mqtt_31": "protocol.mqtt_3_1",
  };
  for (const [key, suggestion] of Object.entries(meant)) {
    const column = key.indexOf(".") + 2;
    assertEquals(summarize(`${key} = 1`), [`1:${column} ${key}: unknown key -> ${suggestion}`]);
  }
});

Deno.test("unknown tables: what was meant, and the mistakes below are still told", () => {
  assertEquals(summarize("[limit]\nsessions_max = 0\nx1y2z3 = 1\n[ sysTopics ]\nenabled = 1"), [
    "1:2 limit: unknown table -> limits",
    "2:16 limits.sessions_max: 0 is below the minimum of 1",
    "3:1 limits.x1y2z3: unknown key",
    "4:3 sysTopics: unknown table -> sys_topics",
    "5:11 sys_topics.enabled: must be true or false, not an integer",
  ]);
  assertEquals(summarize("[[listener]]\naddress = 1"), [
    "1:3 listener: unknown table -> listeners",
    "2:11 listeners.address: must be a string, not an integer",
  ]);
});

Deno.test("known keys in a table near no other are told their right place", () => {
  assertEquals(summarize("[network]\nconnectTimeoutMs = 1\nwhatever = 2\ndata_dir = 'x'"), [
    "1:2 network: unknown table",
    "2:1 network.connectTimeoutMs: unknown key -> limits.connect_timeout_ms",
    "4:1 network.data_dir: unknown key -> store.data_dir",
  ]);
});

Deno.test("names out of the prototype chain are only unknown names", () => {
  assertEquals(summarize("__proto__.x = 1\n[constructor]\n[limits]\n__proto__ = 5\ntoString = 1"), [
    "1:1 __proto__: unknown table",
    "2:2 constructor: unknown table",
    "4:1 limits.__proto__: unknown key",
    "5:1 limits.toString: unknown key",
  ]);
  assertEquals(accepted(""), DEFAULT_CONFIG);
});

Deno.test("a bad word is told the allowed ones and the one that was meant", () => {
  assertEquals(summarize('[queue]\nfull = "drop-oldest"\n[log]\nlevel = "warning"'), [
    '2:8 queue.full: "drop-oldest" is not one of "drop_newest", "drop_oldest" -> drop_oldest',
    '4:9 log.level: "warning" is not one of "debug", "info", "warn", "error"',
  ]);
  assertEquals(summarize('log.level = "Wran"'), [
    '1:13 log.level: "Wran" is not one of "debug", "info", "warn", "error" -> warn',
  ]);
  assertEquals(summarize('store.kind = "disk"'), [
    '1:14 store.kind: "disk" is not one of "memory", "sqlite"',
  ]);
});

Deno.test("a key that is set twice is told where it was set first", () => {
  assertEquals(summarize("[log]\nlevel = 'info'\nlevel = 'warn'\n\"level\" = 'warn'"), [
    "3:1 log.level: is set already, on line 2",
    "4:1 log.level: is set already, on line 2",
  ]);
  assertEquals(summarize("log.level = 'info'\nlog.level = 'info'"), [
    "2:5 log.level: is set already, on line 1",
  ]);
  assertEquals(summarize("log = { level = 'info', level = 'warn' }"), [
    "1:25 log.level: is set already, on line 1",
  ]);
  assertEquals(summarize("log = 1\nlog.level = 'info'"), [
    "1:1 log: must be written [log], not as an integer -> [log]",
    "2:1 log: is set already, on line 1",
  ]);
});

Deno.test("a table that is opened twice is told where it was opened first", () => {
  assertEquals(summarize("[log]\n\n[log]\nlevel = 5"), [
    "3:2 log: is set already, on line 1",
    "4:9 log.level: must be a string, not an integer",
  ]);
  assertEquals(summarize("log = {}\n[log]\nlevel = 'warn'"), [
    "2:2 log: is set already, on line 1",
  ]);
  assertEquals(summarize("log.level = 'warn'\n[log]"), ["2:2 log: is set already, on line 1"]);
  assertEquals(summarize("log = {}\nlog.level = 'warn'"), ["2:1 log: is set already, on line 1"]);
  assertEquals(summarize("[[listeners]]\n[listeners]\naddress = 5"), [
    "2:2 listeners: is set already, on line 1 -> [[listeners]]",
  ]);
  assertEquals(summarize("listeners = [{}]\n[[listeners]]"), [
    "2:3 listeners: is set already, on line 1",
  ]);
  assertEquals(summarize("log = {}\n[log.x]"), ["2:2 log: is set already, on line 1"]);
});

Deno.test("a table written as a list and a list written as a table are told so", () => {
  assertEquals(summarize("[listeners]\naddress = 5"), [
    "1:2 listeners: must be written [[listeners]], not as a table -> [[listeners]]",
    "2:11 listeners.address: must be a string, not an integer",
  ]);
  assertEquals(summarize("[[limits]]\nsessions_max = 0"), [
    "1:3 limits: must be written [limits], not as an array of tables -> [limits]",
    "2:16 limits.sessions_max: 0 is below the minimum of 1",
  ]);
  assertEquals(summarize("listeners = 'x'"), [
    "1:1 listeners: must be written [[listeners]], not as a string -> [[listeners]]",
  ]);
  assertEquals(summarize("listeners = ['x', 2]"), [
    "1:14 listeners: must hold tables, not a string",
    "1:19 listeners: must hold tables, not an integer",
  ]);
  assertEquals(summarize("[limits.sessions_max]\nx = 1"), [
    "1:9 limits.sessions_max: must be an integer, not a table",
  ]);
  assertEquals(summarize("[limits.zzzzzz]\nx = 1"), ["1:9 limits.zzzzzz: unknown key"]);
});

Deno.test("all mistakes of a file are told at once, in the file's order", () => {
  const text = `# a first line
[limits]
connections_max = 0
conect_timeout_ms = 5
sessions_max = "many"

[queue]
full = "drop_newst"
bytes_max = = 5
[[listeners]]
address = "0.0.0.0:1883"
[logg]
level = debug
`;
  assertEquals(summarize(text).map((line) => line.replace(/: .*/, "")), [
    "3:19 limits.connections_max",
    "4:1 limits.conect_timeout_ms",
    "5:16 limits.sessions_max",
    "8:8 queue.full",
    "9:13 queue.bytes_max",
    "11:11 listeners.address",
    "12:2 logg",
    "13:9 logg.level",
  ]);
});

Deno.test("a file beyond the length bound is refused without being read", () => {
  assertEquals(summarize(`#${" ".repeat(1_048_576)}`), [
    "1:1 the file is longer than 1048576 characters",
  ]);
  assertEquals(accepted(`#${" ".repeat(1_048_575)}`), DEFAULT_CONFIG);
});

Deno.test("messages hold no control characters and no endless text", () => {
  const long = "k".repeat(100_000);
  for (
    const text of [
      '"\\u001b[2J" = 1',
      "log.level = '\u009b31m'",
      `${long} = 1`,
      `log.level = ${long}`,
    ]
  ) {
    const [diagnostic] = diagnose(text);
    const shown = `${diagnostic?.message}${diagnostic?.key}${diagnostic?.suggestion ?? ""}`;
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assertEquals(/[\u0000-\u001f\u007f-\u009f]/.test(shown), false, shown.slice(0, 200));
    assertEquals(shown.length < 500, true);
  }
});
