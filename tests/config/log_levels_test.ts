import { assertEquals } from "@std/assert";
import { parseLogLevels } from "../../src/config/mod.ts";
import { diagnose } from "./_loading.ts";

Deno.test("levels of rooms are read, whatever blanks there are", () => {
  assertEquals(parseLogLevels(""), {});
  assertEquals(parseLogLevels(" security=debug\t broker=warn "), {
    security: "debug",
    broker: "warn",
  });
});

Deno.test("what is no level of a room is told where it stands, with what was meant", () => {
  const rooms = "broker, security, store, system, transport, sparkplug, admin, server";
  const wrong: Record<string, string> = {
    "securty=debug": `"securty" is no room of the log: ${rooms} -> security`,
    "store=debgu": '"debgu" is no level of the log: debug, info, warn, error -> debug',
    "store": '"store" is not "room=level"',
    "store=info=warn": '"store=info=warn" is not "room=level"',
    "store=info store=warn": 'room "store" has two levels',
    "__proto__=info": `"__proto__" is no room of the log: ${rooms}`,
  };
  for (const [text, expected] of Object.entries(wrong)) {
    const [problem, ...more] = diagnose(`[log]\nlevels = "${text}"\n`);
    assertEquals([problem?.line, problem?.column, more.length], [2, 10, 0], text);
    const suggestion = problem?.suggestion === undefined ? "" : ` -> ${problem.suggestion}`;
    assertEquals(`${problem?.message}${suggestion}`, `log.levels: ${expected}`);
  }
});
