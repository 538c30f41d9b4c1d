/** Lines of the log: how they look, which are written, which are only counted. */
import { assertEquals, assertMatch } from "@std/assert";
import { Log, type LogOptions } from "../../src/system/mod.ts";

const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A log on a clock of the test. */
class TestLog {
  readonly lines: string[] = [];
  readonly log: Log;
  nowMs = 1;

  constructor(options: Partial<LogOptions> = {}) {
    const all: LogOptions = {
      level: "info",
      levels: {},
      format: "text",
      priorities: false,
      repeatsPerSecondMax: 0,
      ...options,
    };
    this.log = new Log(all, {
      write: (line) => this.lines.push(line),
      wallMs: () => AT_MS,
      nowMs: () => this.nowMs,
    });
  }
}

Deno.test("a line is time, level and text, as fail2ban and people know it", () => {
  const { log, lines } = new TestLog();
  log.line("warn", "login refused: address=10.0.0.1", { room: "security", fields: { user: "u" } });
  log.line("error", "x");
  assertEquals(lines, [
    "2026-01-02T03:04:05.678Z warn  login refused: address=10.0.0.1\n",
    "2026-01-02T03:04:05.678Z error x\n",
  ]);
});

Deno.test("a line in JSON has time, level, room, its fields and its text", () => {
  const { log, lines } = new TestLog({ format: "json" });
  const fields = { client: "c", user: null, address: "10.0.0.1:5" };
  log.line("info", 'connected: client="c"', { room: "broker", fields });
  assertEquals(JSON.parse(lines[0]!), {
    time: "2026-01-02T03:04:05.678Z",
    level: "info",
    room: "broker",
    ...fields,
    text: 'connected: client="c"',
  });
  assertEquals(lines[0]!.indexOf("\n"), lines[0]!.length - 1);
});

Deno.test("a client's long name makes no long line", () => {
  const { log, lines } = new TestLog({ format: "json" });
  log.line("info", "x", { fields: { client: "n".repeat(60_000), user: "u".repeat(1_024) } });
  const { client, user } = JSON.parse(lines[0]!);
  assertEquals([client, user], [`${"n".repeat(1_024)}…`, "u".repeat(1_024)]);
});

Deno.test("lines for the journal begin with their priority", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = new TestLog({ level: "debug", priorities: true, format });
    for (const level of ["debug", "info", "warn", "error"] as const) log.line(level, level);
    assertEquals(lines.map((line) => line.slice(0, 3)), ["<7>", "<6>", "<4>", "<3>"]);
  }
});

Deno.test("a room has its own level, above or below that of all", () => {
  const { log, lines } = new TestLog({ levels: { security: "debug", broker: "error" } });
  log.line("debug", "1", { room: "security" });
  log.line("debug", "2", { room: "store" });
  log.line("warn", "3", { room: "broker" });
  log.line("error", "4", { room: "broker" });
  log.line("info", "5");
  assertEquals(lines.map((line) => line.trimEnd().at(-1)), ["1", "4", "5"]);
});

Deno.test("no text forges a line, turns a part of it around or reaches a terminal with a control sequence", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = new TestLog({ format });
    const text = "a\nb\r\x1b[2J\u0085\u2028c\u202edrawkcab\u202c\u2066\u200b\u061c\ufeff";
    log.line("info", text, { fields: { client: text } });
    assertMatch(lines[0]!, /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\ufeff]+\n$/u);
    if (format === "json") assertEquals(JSON.parse(lines[0]!).client, text);
  }
});

Deno.test("of a flood of one kind a second's worth is written and the rest is counted", () => {
  const test = new TestLog({ repeatsPerSecondMax: 10 });
  for (let i = 0; i < 1_244; i++) test.log.line("warn", `closed: client="${i}"`, { room: "store" });
  test.log.line("info", "other: 1");
  test.log.tick(test.nowMs + 999);
  assertEquals(test.lines.length, 11, "the second is not over");
  test.log.tick(test.nowMs + 1_000);
  assertEquals(test.lines.length, 12);
  assertMatch(test.lines[11]!, / warn {2}suppressed 1,234 more like "closed: …"\n$/);
  test.nowMs += 1_000;
  test.log.line("warn", "closed: again");
  test.log.tick(test.nowMs + 1_000);
  assertEquals(test.lines.length, 13, "written, and nothing was left out");
});

Deno.test("lines of a kind are counted as one even when nobody has looked for long", () => {
  const test = new TestLog({ repeatsPerSecondMax: 2 });
  for (let i = 0; i < 50; i++) {
    test.nowMs += 100;
    test.log.line("info", "same: x");
  }
  test.log.tick(Infinity);
  const suppressed = Number(/suppressed (\d+)/.exec(test.lines.at(-1)!)?.[1]);
  assertEquals(test.lines.length - 1 + suppressed, 50);
});

Deno.test("a summary has the level and room of its lines", () => {
  const test = new TestLog({ repeatsPerSecondMax: 1, format: "json", levels: { store: "error" } });
  for (let i = 0; i < 3; i++) test.log.line("error", "broken: x", { room: "store" });
  for (let i = 0; i < 3; i++) test.log.line("info", "not written: x", { room: "store" });
  test.log.tick(Infinity);
  const { level, room, suppressed, kind } = JSON.parse(test.lines.at(-1)!);
  assertEquals([test.lines.length, level, room, suppressed, kind], [
    2,
    "error",
    "store",
    2,
    "broken",
  ]);
});

Deno.test("what has a bound of its own is always written, and a kind may be named", () => {
  const test = new TestLog({ repeatsPerSecondMax: 1 });
  for (let i = 0; i < 3; i++) test.log.line("warn", "login refused: x", { kind: null });
  for (let i = 0; i < 3; i++) test.log.line("info", "closed: x", { kind: `closed ${i}` });
  assertEquals(test.lines.length, 6);
});
