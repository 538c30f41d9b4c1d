/** `relayq ctl`: the admin API of a running broker, from a shell. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { API_DEFINITIONS } from "../../src/admin/api_definitions.ts";
import { runCli } from "../../src/cli/mod.ts";
import { ApiBroker } from "../admin/_api.ts";
import { eventually, inDirectory } from "../support/waiting.ts";
import { WireClient } from "../support/wire_client.ts";
import { type CliRun, run } from "./_running.ts";
import { spawnTool } from "./_tools.ts";

/** A broker with a token file for each role, and its command line. */
class Shell implements AsyncDisposable {
  readonly api: ApiBroker;
  readonly address: string;

  private constructor(api: ApiBroker) {
    this.api = api;
    this.address = `127.0.0.1:${api.broker.server.adminAddress!.port}`;
  }

  static async open(...options: Parameters<typeof ApiBroker.start>): Promise<Shell> {
    const shell = new Shell(await ApiBroker.start(...options));
    for (const [role, token] of Object.entries(shell.api.tokens)) {
      await Deno.writeTextFile(shell.tokenFile(role), `${token}\n`, { mode: 0o600 });
    }
    return shell;
  }

  get port(): number {
    return this.api.broker.port;
  }

  tokenFile(role: string): string {
    return `${this.api.tokensFile}.${role}`;
  }

  /** Runs `relayq ctl`; the role is that of `admin`. */
  async ctl(...args: string[]): Promise<CliRun> {
    return await this.as("admin", null, ...args);
  }

  /** The same with another role, on a terminal of some width. */
  async as(role: string, width: number | null, ...args: string[]): Promise<CliRun> {
    let out = "";
    let err = "";
    const io = {
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
      width: () => width,
    };
    const common = ["--address", this.address, "--token-file", this.tokenFile(role)];
    const code = await runCli(["ctl", ...args, ...common], io);
    for (const token of Object.values(this.api.tokens)) assert(!(out + err).includes(token));
    return { code, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
  }
}

function actsOnTerminals(text: string): boolean {
  return ["\u001b", "\u009b", "\u202e"].some((character) => text.includes(character));
}

function linesOf({ code, out, err }: CliRun): string[] {
  assertEquals([code, err], [0, ""]);
  return out.trimEnd().split("\n");
}

Deno.test("ctl has a command for every route that is answered with JSON or nothing, each once", async () => {
  const { out } = await run(["ctl", "--help"]);
  assertEquals(await run(["help", "ctl"]), { code: 0, out, err: "" });
  const names = [...out.matchAll(/^ {2}([a-z][a-z-]*) {2,}\w/gm)].map((match) => match[1]!);
  assertEquals(new Set(names).size, names.length);
  const served = API_DEFINITIONS.filter(({ answer, media, path }) =>
    (answer !== null || media.length === 0) && path.startsWith("/api/v1/")
  );
  // Two stand behind a word of their lists, one is the document; health and top are besides.
  assertEquals(names.length, served.length - 3 + 2, names.join(" "));
  for (const name of names) {
    const help = await run(["ctl", name, "--help"]);
    assertEquals([help.code, help.err], [0, ""], name);
    assertStringIncludes(help.out, `Usage: relayq ctl ${name}`);
    const options = [...help.out.matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map((match) => match[1]!);
    assertEquals(new Set(options).size, options.length, `${name}: ${options}`);
    assertMatch(help.out, /--address URL +\w/);
  }
});

Deno.test("ctl shows tables for people and answers for programs", async () => {
  await using shell = await Shell.open();
  using pump = await WireClient.connect(shell.port, {
    clientIdentifier: "pump/7",
    userName: "anna",
  });
  using other = await WireClient.connect(shell.port, { clientIdentifier: "other" });
  await pump.subscribe("a/#", 1);
  await other.subscribe("b");
  const [head, first, second, ...rest] = linesOf(await shell.ctl("clients"));
  assertMatch(head!, /^CLIENT ID +USER +ADDRESS +TRANSPORT +CONNECTED AT +QUEUED MESSAGES/);
  assertMatch(first!, /^other +- +127\.0\.0\.1:\d+ +tcp +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +0 /);
  assertMatch(second!, /^pump\/7 +anna +/);
  assertEquals(rest, []);
  const { json } = await shell.api.call("GET /api/v1/clients/pump%2F7");
  assertEquals(JSON.parse((await shell.ctl("client", "pump/7", "--json")).out), json);
  const details = linesOf(await shell.ctl("client", "pump/7"));
  assert(details.includes("user             anna"), details.join("\n"));
  assert(details.includes("filters") && details.includes("  a/#       1"), details.join("\n"));
  const pages = await shell.ctl("clients", "--limit", "1");
  assertMatch(pages.out, /\n1 of 2; --all shows all, --cursor \S+ those that follow\n$/);
  const cursor = /--cursor (\S+)/.exec(pages.out)![1]!;
  assertMatch(linesOf(await shell.ctl("clients", "--limit", "1", "--cursor", cursor))[1]!, /^pump/);
  assertEquals(linesOf(await shell.ctl("clients", "--search", "nobody")), ["none"]);
  assertMatch(
    linesOf(await shell.ctl("subscriptions", "--topic", "a/b"))[1]!,
    /^pump\/7 +a\/# +1 +yes/,
  );
});

Deno.test("ctl joins the pages of a long list", async () => {
  await using shell = await Shell.open({ store: { kind: "memory" } });
  for (let i = 0; i < 1_050; i++) {
    const body = { topic: `t/${String(i).padStart(4, "0")}`, payload: "x", retain: true };
    assertEquals((await shell.api.call("POST /api/v1/publish", { body })).status, 200);
  }
  const { out } = await shell.ctl("retained", "--all", "--json");
  const { items, next, total } = JSON.parse(out);
  assertEquals([items.length, next, total], [1_050, null, 1_050]);
  assertEquals([items[0].topic, items.at(-1).topic], ["t/0000", "t/1049"]);
  assertEquals(linesOf(await shell.ctl("retained", "--all")).length, 1_051);
});

Deno.test("ctl changes what it is told to, and its exit code says whether it could", async () => {
  await using shell = await Shell.open();
  using pump = await WireClient.connect(shell.port, { clientIdentifier: "pump/7" });
  await pump.subscribe("a/#");
  assertEquals(linesOf(await shell.ctl("publish", "a/b", "hello", "--retain", "--qos", "1")), [
    "matched  1",
  ]);
  await pump.expect("PUBLISH");
  await inDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/bytes`, new Uint8Array([0xff, 0]));
    assertEquals((await shell.ctl("publish", "a/c", "--file", `${directory}/bytes`)).code, 0);
    assertEquals((await pump.expect("PUBLISH")).payload, new Uint8Array([0xff, 0]));
    const missing = await shell.ctl("publish", "a/c", "--file", `${directory}/none`);
    assertEquals([missing.code, /no such file/.test(missing.err)], [2, true]);
  });
  assertStringIncludes((await shell.ctl("retained", "a/b")).out, "payload text    hello\n");
  assertMatch(linesOf(await shell.ctl("topics", "a/"))[1]!, /^b +a\/b +no/);
  assertEquals(linesOf(await shell.ctl("remove-retained", "a/b")), ["done"]);
  assertEquals(linesOf(await shell.ctl("disconnect", "pump/7", "--will", "false")), ["done"]);
  await pump.expectClosed();
  const gone = await shell.ctl("disconnect", "pump/7");
  assertEquals(gone, {
    code: 5,
    out: "",
    err: "Cannot run relayq ctl disconnect: 404 there is no such client\n",
  });
  const made = await shell.ctl(
    "ban",
    "user",
    "eve",
    "--seconds",
    "60",
    "--reason",
    "test",
    "--json",
  );
  const { id, until } = JSON.parse(made.out);
  assert(until !== null);
  assertMatch(
    linesOf(await shell.ctl("bans"))[1]!,
    new RegExp(`^${id} +user +eve +.* +adminer +test$`),
  );
  assertEquals(linesOf(await shell.ctl("unban", id)), ["done"]);
  assertEquals(linesOf(await shell.ctl("log-level", "store", "debug")).length > 1, true);
});

Deno.test("ctl replays and purges dead letters by number, by filter, and never all by mistake", async () => {
  await using shell = await Shell.open();
  using client = await WireClient.connect(shell.port, { clientIdentifier: "c" });
  for (const i of [1, 2, 3]) await client.publish(`$SYS/${i}`, "x", { qos: 1 });
  const listed = async () => JSON.parse((await shell.ctl("dead-letters", "--json")).out).items;
  await eventually("three letters", async () => (await listed()).length === 3);
  assertMatch(
    linesOf(await shell.ctl("dead-letters"))[1]!,
    /^ *3 +.* +server-topic +1 +1 +- +\$SYS\/3 +x/,
  );
  assertStringIncludes((await shell.ctl("dead-letters", "2")).out, "topic           $SYS/2\n");
  const careless = await shell.ctl("replay");
  assertEquals([careless.code, careless.out], [5, ""]);
  assertStringIncludes(careless.err, "422 say which");
  assertEquals(linesOf(await shell.ctl("replay", "1", "2", "--to", "seen")), [
    "replayed  2",
    "left      0",
  ]);
  assertEquals(linesOf(await shell.ctl("replay", "--topic", "$SYS/+")), [
    "replayed  0",
    "left      1",
  ]);
  assertEquals((await shell.ctl("purge")).code, 5);
  assertEquals(linesOf(await shell.ctl("purge", "3")), ["purged  1"]);
  assertEquals(linesOf(await shell.ctl("purge", "--all")), ["purged  0"]);
});

Deno.test("ctl says what it lacks: a broker, a token, a role, an address", async () => {
  await using shell = await Shell.open();
  const forbidden = await shell.as("read", null, "purge", "--all");
  assertEquals([forbidden.code, forbidden.out], [5, ""]);
  assertMatch(forbidden.err, /^Cannot run relayq ctl purge: 403 /);
  const nobody = await run(["ctl", "clients", "--address", shell.address]);
  assertEquals(nobody.code, 5);
  assertMatch(nobody.err, /^Cannot run relayq ctl clients: 401 /);
  const cases: [string[], number, RegExp][] = [
    [
      ["clients", "--address", "127.0.0.1:1"],
      1,
      /^Cannot reach the broker: http:\/\/127\.0\.0\.1:1: /,
    ],
    [["clients", "--address", "http://x/y"], 1, /only scheme, host and port/],
    [["clients"], 1, /admin\.address is empty/],
    [
      ["clients", "--address", "a:1", "--token-file", "/none"],
      1,
      /token file \/none: no such file/,
    ],
    [["clients", "--address", "a:1", "--cert", shell.tokenFile("read")], 1, /--cert and --key go/],
    [["clients", "--limit"], 2, /--limit needs a value/],
    [["clients", "--nonsense"], 2, /unknown option "--nonsense"/],
    [["client"], 2, /CLIENT_ID is missing/],
    [["client", "..", "--address", "a:1"], 2, /fits no URL/],
    [["publish", "t", "x", "--qos", "high", "--address", "a:1"], 2, /qos: "high"/],
    [["cleint"], 2, /unknown command "cleint"; did you mean "client"/],
    [[], 2, /Usage: relayq ctl COMMAND/],
    [["--json"], 2, /COMMAND is missing/],
  ];
  for (const [args, code, message] of cases) {
    const ran = await run(["ctl", ...args]);
    assertEquals([ran.code, ran.out], [code, ""], args.join(" "));
    assertMatch(ran.err, message);
  }
});

Deno.test("ctl finds the broker by its configuration and the token by the environment", async () => {
  await using shell = await Shell.open();
  await inDirectory(async (directory) => {
    const path = `${directory}/relayq.toml`;
    await Deno.writeTextFile(path, `[admin]\naddress = "${shell.address}"\n`);
    Deno.env.set("RELAYQ_TOKEN_FILE", shell.tokenFile("read"));
    try {
      const { code, out } = await run(["ctl", "clients", "--config", path]);
      assertEquals([code, out], [0, "none\n"]);
    } finally {
      Deno.env.delete("RELAYQ_TOKEN_FILE");
    }
    assertEquals((await run(["ctl", "clients", "--config", path])).code, 5);
  });
});

Deno.test("ctl without TLS asks the broker itself, and shows no proxy of the environment its token", async () => {
  await using shell = await Shell.open();
  const proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let isAsked = false;
  const asked = proxy.accept().then((connection) => {
    isAsked = true;
    connection.close();
  }, () => {});
  const args = ["--address", shell.address, "--token-file", shell.tokenFile("read")];
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.addr.port}`, NO_PROXY: "" };
  const { code, stdout } = await spawnTool(["ctl", "whoami", ...args], env).output();
  assertEquals([code, isAsked], [0, false]);
  assertStringIncludes(new TextDecoder().decode(stdout), "reader");
  proxy.close();
  await asked;
});

Deno.test("ctl health is 0 for a broker that takes clients and 1 for any other, without a token", async () => {
  const shell = await Shell.open();
  const args = ["ctl", "health", "--address", shell.address];
  assertEquals(await run(args), { code: 0, out: "ready\n", err: "" });
  await shell[Symbol.asyncDispose]();
  const { code, out } = await run(args);
  assertEquals([code, out], [1, ""]);
});

Deno.test("tables of ctl fit the terminal, and nothing in them acts on it", async () => {
  await using shell = await Shell.open();
  const hostile = `${"n".repeat(200)}\u001b[31m\u202e\n99  forged`;
  using _client = await WireClient.connect(shell.port, {
    clientIdentifier: hostile,
    userName: "\u009b",
  });
  using _short = await WireClient.connect(shell.port, { clientIdentifier: "a\u001b[2J" });
  for (const width of [200, 120, 100]) {
    const lines = linesOf(await shell.as("read", width, "clients"));
    assertEquals(lines.length, 3);
    for (const line of lines) {
      assert([...line].length <= width, `${line.length} of ${width}`);
      assert(!actsOnTerminals(line));
    }
    assertStringIncludes(lines[2]!, "nnn…");
  }
  for (const args of [["clients"], ["clients", "--json"], ["client", hostile], ["log"]]) {
    const { out, code } = await shell.ctl(...args);
    assertEquals(code, 0);
    assert(!actsOnTerminals(out), args[0]);
  }
});
