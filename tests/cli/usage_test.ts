import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import denoJson from "../../deno.json" with { type: "json" };
import { run } from "./_running.ts";

const COMMANDS = ["serve", "check", "init", "version", "help"];

Deno.test("no command is a usage error that shows the help", async () => {
  const { code, out, err } = await run([]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "Usage: relayq COMMAND");
});

Deno.test("--help, -h and help show all commands and all exit codes", async () => {
  for (const args of [["--help"], ["-h"], ["help"], ["--help", "--nonsense"]]) {
    const { code, out, err } = await run(args);
    assertEquals([code, err], [0, ""], args.join(" "));
    for (const command of COMMANDS) assertMatch(out, new RegExp(`^  ${command} +\\w`, "m"));
    for (const exitCode of [0, 1, 2, 3, 4]) {
      assertMatch(out, new RegExp(`^  ${exitCode}  \\w`, "m"));
    }
  }
});

Deno.test("every command shows its own help in four ways, and nothing else happens", async () => {
  for (const command of COMMANDS) {
    const expected = await run(["help", command]);
    assertEquals([expected.code, expected.err], [0, ""]);
    assertStringIncludes(expected.out, `Usage: relayq ${command}`);
    assertStringIncludes(expected.out, "Exit codes:");
    for (const args of [["--help"], ["-h"], ["--nonsense", "a", "b", "--help"]]) {
      assertEquals(await run([command, ...args]), expected, `${command} ${args}`);
    }
  }
  assertEquals((await run(["help", "check"])).out === (await run(["help", "init"])).out, false);
});

Deno.test("the help of serve tells its options and what they take", async () => {
  const { out } = await run(["help", "serve"]);
  for (const way of ["a password file", "client certificates", "allow_anonymous = true"]) {
    assertStringIncludes(out, way); // who may listen to other machines
  }
  assertStringIncludes(
    out,
    "Usage: relayq serve [--config FILE] [--listen ADDRESS]… [--data-dir DIR]\n",
  );
  for (const option of ["--config FILE", "--listen ADDRESS", "--data-dir DIR", "-h, --help"]) {
    assertMatch(out, new RegExp(`^  ${option} +\\w`, "m"));
  }
});

Deno.test("unknown commands are usage errors and the one that was meant is told", async () => {
  const meant = { "chekc": "check", "Serve": "serve", "verison": "version", "hepl": "help" };
  for (const [written, command] of Object.entries(meant)) {
    for (const args of [[written], ["help", written]]) {
      assertEquals(await run(args), {
        code: 2,
        out: "",
        err: `Cannot run relayq: unknown command "${written}"; did you mean "${command}"?\n` +
          'Try "relayq --help".\n',
      });
    }
  }
  assertEquals(await run(["frobnicate"]), {
    code: 2,
    out: "",
    err: 'Cannot run relayq: unknown command "frobnicate"\nTry "relayq --help".\n',
  });
});

Deno.test("unknown options are usage errors and the one that was meant is told", async () => {
  const told: [string[], string][] = [
    [["--versoin"], 'relayq: unknown option "--versoin"; did you mean "--version"?'],
    [["-x"], 'relayq: unknown option "-x"'],
    [
      ["serve", "--lisen", "127.0.0.1:1"],
      'relayq serve: unknown option "--lisen"; did you mean "--listen"?',
    ],
    [
      ["serve", "--lisen=127.0.0.1:1"],
      'relayq serve: unknown option "--lisen"; did you mean "--listen"?',
    ],
    [
      ["serve", "--data_dir=x"],
      'relayq serve: unknown option "--data_dir"; did you mean "--data-dir"?',
    ],
    [["version", "--jsn"], 'relayq version: unknown option "--jsn"; did you mean "--json"?'],
    [["version", "--no-json"], 'relayq version: unknown option "--no-json"'],
    [["check", "--__proto__=1", "x"], 'relayq check: unknown option "--__proto__"'],
    [["check", "--a.b=1", "x"], 'relayq check: unknown option "--a.b"'],
    [["init", "--force", "x"], 'relayq init: unknown option "--force"'],
  ];
  for (const [args, problem] of told) {
    const { code, out, err } = await run(args);
    assertEquals([code, out, err.split("\n")[0]], [2, "", `Cannot run ${problem}`]);
  }
});

Deno.test("missing and excess arguments and values are usage errors", async () => {
  const told: [string[], string][] = [
    [["check"], "relayq check: FILE is missing"],
    [["check", "a", "b"], 'relayq check: unexpected argument "b"'],
    [["init", "a", "b"], 'relayq init: unexpected argument "b"'],
    [["version", "7"], 'relayq version: unexpected argument "7"'],
    [["serve", "relayq.toml"], 'relayq serve: unexpected argument "relayq.toml"'],
    [["help", "check", "init"], 'relayq help: unexpected argument "init"'],
    [["--version", "x"], 'relayq: unexpected argument "x"'],
    [["serve", "--config"], "relayq serve: --config needs a value: FILE"],
    [["serve", "--config="], "relayq serve: --config needs a value: FILE"],
    [
      ["serve", "--config", "--listen", "127.0.0.1:1"],
      "relayq serve: --config needs a value: FILE",
    ],
    [
      ["serve", "--listen", "127.0.0.1:1", "--listen"],
      "relayq serve: --listen needs a value: ADDRESS",
    ],
    [
      ["serve", "--config", "a", "--config", "b"],
      "relayq serve: --config is given 2 times, but may be given only once",
    ],
  ];
  for (const [args, problem] of told) {
    const { code, out, err } = await run(args);
    assertEquals([code, out, err.split("\n")[0]], [2, "", `Cannot run ${problem}`]);
  }
});

Deno.test("version and --version tell the versions of the broker and its runtime", async () => {
  const { deno, v8, typescript } = Deno.version;
  const expected = {
    code: 0,
    out: `relayq ${denoJson.version}\ndeno ${deno}\nv8 ${v8}\ntypescript ${typescript}\n`,
    err: "",
  };
  assertEquals(await run(["version"]), expected);
  assertEquals(await run(["--version"]), expected);
});

Deno.test("version --json tells the same as one JSON line", async () => {
  const { deno, v8, typescript } = Deno.version;
  const { code, out } = await run(["version", "--json"]);
  assertEquals(code, 0);
  assertEquals(out.indexOf("\n"), out.length - 1);
  assertEquals(JSON.parse(out), { relayq: denoJson.version, commit: null, deno, v8, typescript });
});
