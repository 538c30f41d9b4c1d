import { assertEquals } from "@std/assert";
import { accepted, diagnose, summarize } from "./_loading.ts";

Deno.test("mistakes in a value are told at the value", () => {
  const told: Record<string, string> = {
    "log.level = info": '1:13 log.level: "info" is not a value: a string needs quotes -> info',
    "log.level = a;b": '1:13 log.level: "a;b" is not a value: a string needs quotes',
    "sys_topics.enabled = True":
      '1:22 sys_topics.enabled: "True" is not a value: write true or false in lower case',
    "session.expiry_ms = 14d":
      '1:21 session.expiry_ms: "14d" is not a value: write the number alone, the key\'s name says its unit',
    "session.expiry_ms = 007":
      '1:21 session.expiry_ms: "007" is not a value: a string needs quotes -> 007',
    "log.level =": "1:12 log.level: expected a value, not the end of the file",
    "log.level = # none": '1:13 log.level: expected a value, not "#"',
    'log.level = "info': "1:13 log.level: the string is not closed",
    "log.level = 'info": "1:13 log.level: the string is not closed",
    'log.level = """info': "1:13 log.level: the string is not closed",
    "log.level = '''info''": "1:13 log.level: the string is not closed",
    'log.level = "in\\qfo"': "1:13 log.level: cannot read the string: Invalid escape sequence: \\q",
  };
  for (const [text, diagnostic] of Object.entries(told)) {
    assertEquals(summarize(text), [diagnostic]);
  }
});

Deno.test("mistakes between key and line end are told where they stand", () => {
  const told: Record<string, string> = {
    "log": "1:4 log: expected = after the key log, not the end of the file",
    "log\n": "1:4 log: expected = after the key log, not the end of the line",
    "log.level 'info'": '1:11 log.level: expected = after the key log.level, not "\'"',
    "log.level = 'info' 'warn'": '1:20 log.level: expected the end of the line, not "\'"',
    "= 5": '1:1 expected a key, not "="',
    "log. = 5": '1:6 expected a key, not "="',
    "[log": "1:5 expected ] after the table's name, not the end of the file",
    "[[listeners]": '1:12 expected ]] after the table\'s name, not "]"',
    "[]": '1:2 expected a key, not "]"',
    "[log] level = 'info'": '1:7 expected the end of the line, not "l"',
    "log = { level = 'info'":
      "1:23 log: expected } or , in the inline table, not the end of the file",
    "log = { level 'info' }": '1:15 log: expected = after the key in the inline table, not "\'"',
    "log = { level = 'info', }": '1:25 log: expected a key, not "}"',
    "listeners = [{} {}]": '1:17 listeners: expected , or ] after the array\'s element, not "{"',
    "log.level = 'info'\rx": '1:19 log.level: expected the end of the line, not "\\r"',
    '"lo\\qg" = 5': "1:1 cannot read the string: Invalid escape sequence: \\q",
  };
  for (const [text, diagnostic] of Object.entries(told)) {
    assertEquals(summarize(text)[0], diagnostic);
  }
});

Deno.test("reading goes on behind a syntax error", () => {
  const after = "sessions_max = 0";
  const told = "limits.sessions_max: 0 is below the minimum of 1";
  for (
    const broken of [
      "connections_max = ",
      'connections_max = "',
      'connections_max = """',
      "connections_max = [",
      "connections_max = [1,\n  2",
      "connections_max = [\n  !\n]",
      'connections_max = [\n"a = b",\n,\n]',
      "connections_max = {",
      "!",
      "= =",
    ]
  ) {
    const summary = summarize(`[limits]\n${broken}\n${after}`);
    assertEquals(summary.length, 2, summary.join("\n"));
    const line = broken.split("\n").length + 2;
    assertEquals(summary[1], `${line}:16 ${told}`);
  }
});

Deno.test("what stands under a broken header is not judged by the table before it", () => {
  assertEquals(summarize("[limits]\n[log\nlevel = 'loud'\n[queue]\nfull = 1"), [
    "2:5 expected ] after the table's name, not the end of the line",
    "5:8 queue.full: must be a string, not an integer",
  ]);
});

Deno.test("a value that cannot be read is not replaced by its default in relations", () => {
  const text = "[outbox]\nbytes_max = 99999999k\nhigh_water_bytes = 5000000";
  assertEquals(diagnose(text).map(({ line }) => line), [2]);
});

Deno.test("positions hold behind multi-line values, comments, quoted keys and CRLF", () => {
  const text = [
    "# comment with [limits] and key = 1",
    "[store] # [log]",
    "data_dir = '''",
    "[limits]",
    "sessions_max = 0",
    "''' # \"",
    "[ limits ]",
    '\t"sessions_max" = 0',
    "'connections_max'=0",
    "[queue]",
    'full = "drop\\"[log]#oldest" # x',
  ].join("\r\n");
  assertEquals(summarize(text), [
    "8:19 limits.sessions_max: 0 is below the minimum of 1",
    "9:19 limits.connections_max: 0 is below the minimum of 1",
    '11:8 queue.full: "drop\\"[log]#oldest" is not one of "drop_newest", "drop_oldest"',
  ]);
});

Deno.test("a byte order mark does not move the first column", () => {
  assertEquals(summarize("\uFEFFlog.levl = 'info'"), ["1:5 log.levl: unknown key -> level"]);
});

Deno.test("positions inside arrays and inline tables over several lines", () => {
  const text = `listeners = [ # all of them
  { address = "127.0.0.1:1" }, { adress = "127.0.0.1:2" },
  # and one more
  { "address" = "127.0.0.1:3", allow_anonymous = 1 },
]
limits = { sessions_max = 0, queue.bytes = 1 }
`;
  assertEquals(summarize(text), [
    "2:34 listeners.adress: unknown key -> address",
    "4:50 listeners.allow_anonymous: must be true or false, not an integer",
    "6:27 limits.sessions_max: 0 is below the minimum of 1",
    "6:30 limits.queue: unknown key",
  ]);
});

Deno.test("every way to write the same configuration gives the same", () => {
  const expected = accepted("[limits]\nsessions_max = 7\n[[listeners]]\naddress = '[::1]:1'\n");
  for (
    const text of [
      "limits.sessions_max = 7\nlisteners = [{ address = '[::1]:1' }]",
      'limits = { sessions_max = 7 }\n[[ listeners ]]\n"address" = """[::1]:1"""',
      "[[listeners]]\r\naddress = '''\r\n[::1]:1'''\r\n[ 'limits' ]\r\n sessions_max=7#x",
      "listeners = [\n # c\n { address = '[::1]:1' } # d\n , \n]\nlimits . sessions_max = 7",
      '"\\u006cimits".sessions_max = 7\n[[listeners]]\naddress = "\\u005b::1]:1"',
    ]
  ) {
    assertEquals(accepted(text), expected);
  }
});

Deno.test("headers in any order find their tables", () => {
  assertEquals(summarize("[log.extra]\nx = 1\n[log]\nlevel = 5\nlevl = 6"), [
    "1:6 log.extra: unknown key",
    "4:9 log.level: must be a string, not an integer",
    "5:1 log.levl: unknown key -> level",
  ]);
  assertEquals(summarize("[[listeners]]\n[listeners.inner]\nx = 1\n[[listeners]]\naddress = 1"), [
    "2:12 listeners.inner: unknown key",
    "5:11 listeners.address: must be a string, not an integer",
  ]);
  assertEquals(summarize("[log]\nlevel = 'info'\n[log.level.x]\ny = 1"), [
    "3:6 log.level: is set already, on line 2",
  ]);
  assertEquals(summarize("[log]\nlevel = 'info'\nlevel.x = 1"), [
    "3:1 log.level: is set already, on line 2",
  ]);
  assertEquals(summarize("log.a.b = 1\nlog.a.c = 2"), ["1:5 log.a: unknown key"]);
});

Deno.test("nesting without end is refused, not followed", () => {
  for (const open of ["[", "{a=", "[{a=["]) {
    const diagnostics = diagnose(`x = ${open.repeat(50_000)}`);
    assertEquals(diagnostics.map(({ message }) => message), [
      "x: unknown key",
      "x: values are nested more than 16 deep",
    ]);
  }
  const deepKey = Array(50_000).fill("a").join(".");
  assertEquals(summarize(`${deepKey} = 1`), ["1:1 a: unknown table"]);
});

Deno.test("hostile files are read in time proportional to their length", () => {
  const lines = ["\n", "#\n", "a=[\n", 'a="""\n', "a='''\n", "[a]\n", "[[a]]\n", "a.b=1\n", "=\n"];
  const units = [...lines, "a={", '"', "\\", "x", "[", "a.", "1,", "\r", " "];
  for (const unit of units) {
    for (const prefix of ["", "x = [", 'x = "', 'x = """', "x = '''", "#"]) {
      const text = prefix + unit.repeat(Math.floor(100_000 / unit.length));
      const started = performance.now();
      diagnose(text);
      const elapsedMs = performance.now() - started;
      // A linear reading takes well below a second, a quadratic one minutes.
      assertEquals(elapsedMs < 30_000, true, `${JSON.stringify(prefix + unit)}: ${elapsedMs} ms`);
    }
  }
});
