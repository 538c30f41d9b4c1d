/** `relayq pub` and `relayq sub` against a real broker. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { passwordFileText } from "../support/security_files.ts";
import { WireClient } from "../support/wire_client.ts";
import { TestBroker } from "../support/test_broker.ts";
import { runTool, spawnTool, subscribed, type ToolRun } from "./_tools.ts";
import { withDirectory } from "./_running.ts";

const broker = await TestBroker.start();
Deno.test.afterAll(() => broker[Symbol.asyncDispose]());

function pub(args: readonly string[], input?: string): Promise<ToolRun> {
  return runTool(["pub", "-p", String(broker.port), ...args], input);
}

function sub(args: readonly string[]): Promise<ToolRun> {
  return runTool(["sub", "-p", String(broker.port), ...args]);
}

/** Runs a subscriber, and `work` when its subscription is in place. */
async function during(args: readonly string[], work: () => Promise<unknown>): Promise<ToolRun> {
  const before = broker.server.broker.statistics.subscriptions;
  const running = sub(["--time", "20", ...args]);
  await Promise.race([subscribed(broker, before + 1), running]);
  await work();
  const result = await running;
  return result;
}

for (const qos of ["0", "1", "2"]) {
  Deno.test(`lines go out and come in as they are and in order at QoS ${qos}`, async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}${i % 2 ? "\r" : ""}`);
    const { code, out } = await during(["-t", "lines", "-q", qos, "-C", "200"], async () => {
      const args = ["-t", "lines", "-q", qos, "--lines", "--verbose"];
      const { code, err } = await pub(args, lines.join("\n"));
      assertEquals(code, 0);
      assertMatch(err, /^200 of 200 messages acknowledged in \d+ ms\n$/);
    });
    assertEquals([code, out], [0, lines.map((line) => line.trimEnd() + "\n").join("")]);
  });
}

Deno.test("a payload may be empty, begin with a dash, be hexadecimal, a file or standard input", async () => {
  await withDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/payload`, "of a file\n");
    const { out } = await during(["-t", "any/+", "-C", "7", "--json", "-q", "1"], async () => {
      const ways: [string[], string?][] = [
        [["-m", "-5"]],
        [["--message", "--retain"]],
        [["-m", ""]],
        [["--hex", "00 FF 80"]],
        [["--file", `${directory}/payload`]],
        [["--stdin"], "typed\nin"],
        [["--null"]],
      ];
      for (const [args, input] of ways) {
        assertEquals((await pub(["-t", "any/x", "-q", "1", ...args], input)).err, "");
      }
    });
    const messages = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const payloads = messages.map(({ payload, payload_base64 }) => payload ?? [payload_base64]);
    assertEquals(payloads, ["-5", "--retain", "", ["AP+A"], "of a file\n", "typed\nin", ""]);
    const { at, ...rest } = messages[0];
    assertMatch(at, /^\d{4}-\d\d-\d\dT/);
    const expected = { topic: "any/x", qos: 1, retain: false, dup: false, payload_bytes: 2 };
    assertEquals(rest, { ...expected, payload: "-5" });
  });
});

Deno.test("retained messages come first, are passed over with -R, and go with -n -r", async () => {
  assertEquals((await pub(["-t", "state", "-m", "on", "-r", "-q", "1"])).code, 0);
  assertEquals(await sub(["-t", "state", "-v", "-C", "1"]), {
    code: 0,
    out: "state on\n",
    err: "",
  });
  const passed = await sub(["-t", "state", "-R", "-C", "1", "--time", "0.1"]);
  assertEquals([passed.code, passed.out], [9, ""]);
  assertEquals((await pub(["-t", "state", "-n", "-r", "-q", "2"])).code, 0);
  const gone = await sub(["-t", "state", "-C", "1", "-W", "0.1"]);
  assertEquals([gone.code, gone.out], [9, ""]);
  assertEquals((await sub(["-t", "state", "-W", "0.05"])).code, 0);
});

Deno.test("--repeat publishes so many times, and --hex shows payloads by their digits", async () => {
  const { code, out } = await during(["-t", "again", "-C", "3", "--hex", "-v"], async () => {
    await pub(["-t", "again", "-m", "a\n", "--repeat", "3", "--repeat-delay", "0.01"]);
  });
  assertEquals([code, out], [0, "again 610a\n".repeat(3)]);
});

Deno.test("a message is acknowledged when it is written: what is over --count waits for the next run", async () => {
  const session = ["-t", "kept", "-i", "keeper", "--keep-session", "-q", "2"];
  await sub([...session, "-W", "0.05"]);
  await pub(["-t", "kept", "-q", "2", "--lines"], "1\n2\n3\n4\n5\n");
  const runs: string[] = [];
  for (let i = 0; i < 2; i++) runs.push((await sub([...session, "-C", "2"])).out);
  runs.push((await sub([...session, "-W", "0.2"])).out);
  assertEquals(runs, ["1\n2\n", "3\n4\n", "5\n"]);
});

Deno.test("a Will is published when the client goes without DISCONNECT", async () => {
  const { out } = await during(["-t", "gone", "-C", "1", "-v"], async () => {
    const args = ["-t", "x", "--will-topic", "gone", "--will-payload", "-1", "--will-qos", "1"];
    const child = spawnTool(["sub", "-p", String(broker.port), ...args]);
    await subscribed(broker, broker.server.broker.statistics.subscriptions + 1);
    child.kill("SIGKILL");
    await child.output();
  });
  assertEquals(out, "gone -1\n");
});

Deno.test("Sparkplug payloads are decoded, with the names that the birth gave to aliases", async () => {
  const { NBIRTH, NDATA } = await sparkplugPayloads();
  const { out } = await during(["-t", "spBv1.0/#", "-C", "3", "--sparkplug", "-v"], async () => {
    await pub(["-t", "spBv1.0/G/NBIRTH/E", "--hex", NBIRTH]);
    await pub(["-t", "spBv1.0/G/NDATA/E", "--hex", NDATA]);
    await pub(["-t", "spBv1.0/G/NDATA/E", "-m", "no payload of Sparkplug"]);
  });
  const lines = out.trimEnd().split("\n");
  assertStringIncludes(lines[1]!, '"name":"Temp"');
  assertStringIncludes(lines[1]!, '"value":23.5');
  assertEquals(lines[2], "spBv1.0/G/NDATA/E no payload of Sparkplug");
});

/** A birth with the metric Temp of alias 7, and its data, as another program encodes them. */
async function sparkplugPayloads(): Promise<{ NBIRTH: string; NDATA: string }> {
  const { default: protobuf } = await import("protobufjs");
  const field = (id: number, type: string, rule?: string) => ({ id, type, ...(rule && { rule }) });
  const root = protobuf.Root.fromJSON({
    nested: {
      Metric: {
        fields: {
          name: field(1, "string"),
          alias: field(2, "uint64"),
          datatype: field(4, "uint32"),
          doubleValue: field(13, "double"),
        },
      },
      Payload: { fields: { metrics: field(2, "Metric", "repeated"), seq: field(3, "uint64") } },
    },
  });
  const type = root.lookupType("Payload");
  const hexOf = (metric: object, seq: number): string =>
    Uint8Array.from(type.encode(type.fromObject({ metrics: [metric], seq })).finish()).toHex();
  return {
    NBIRTH: hexOf({ name: "Temp", alias: 7, datatype: 10, doubleValue: 21.25 }, 0),
    NDATA: hexOf({ alias: 7, doubleValue: 23.5 }, 1),
  };
}

Deno.test("a terminal gets no sign that could act on it", async () => {
  const { messageBytes } = await import("../../src/cli/_message_text.ts");
  const packet = { type: "PUBLISH", dup: false, qos: 0, retain: false, packetId: 0 } as const;
  const content = { topic: "a\u009bb" as never, payload: new TextEncoder().encode("\x1b[2J!") };
  const format = { verbose: true, json: false, hex: false, sparkplug: null };
  const message = { ...packet, ...content };
  const shown = messageBytes(message, { ...format, forTerminal: true });
  assertEquals(new TextDecoder().decode(shown), "a\ufffdb \ufffd[2J!\n");
  const raw = messageBytes(message, { ...format, forTerminal: false });
  assertEquals(new TextDecoder().decode(raw), "a\u009bb \x1b[2J!\n");
});

Deno.test("exit codes: 2 for the command line, 1 for files, 8 without a broker, 5 where it refuses", async () => {
  const nobody = ["-h", "127.113.7.9", "-p", "1"];
  const told: [string[], number, RegExp][] = [
    [["pub", "-m", "x"], 2, /--topic is missing/],
    [["pub", "-t", "a/+", "-m", "x"], 2, /--topic: /],
    [["pub", "-t", "a"], 2, /exactly one of --message, /],
    [["pub", "-t", "a", "-m", "x", "-n"], 2, /exactly one of /],
    [["pub", "-t", "a", "--hex", "abc"], 2, /--hex: not pairs/],
    [["pub", "-t", "a", "-m", "x", "-q", "3"], 2, /--qos: "3" is not a whole number from 0 to 2/],
    [["pub", "-t", "a", "-m", "x", "-p", "65536"], 2, /--port: /],
    [["pub", "-t", "a", "-m", "x", "--cert", "/dev/null"], 2, /--cert and --key go together/],
    [["pub", "-t", "a", "-m", "x", "--password-stdin"], 2, /a password needs --user/],
    [["pub", "-t", "a", "-m", "x", "--will-qos", "1"], 2, /--will-qos needs --will-topic/],
    [["pub", "-t", "a", "--lines", "-u", "u", "--password-stdin"], 2, /both want standard input/],
    [["pub", "-t", "a", "-f", "/nonexistent/file"], 1, /--file: \/nonexistent\/file: no such file/],
    [["pub", "-t", "a", "-m", "x", "--cafile", "/nonexistent/ca"], 1, /--cafile: /],
    [["pub", "-t", "a", "-m", "x", ...nobody], 8, /refused/],
    [["sub"], 2, /--topic is missing/],
    [["sub", "-t", "a/#/b"], 2, /--topic: /],
    [["sub", "-t", "a", "-c"], 2, /--keep-session needs --id/],
    [["sub", "-t", "a", ...nobody], 8, /refused/],
  ];
  for (const [args, code, text] of told) {
    const result = await runTool(args);
    assertMatch(result.err, text, args.join(" "));
    assertEquals([result.code, result.out], [code, ""], args.join(" "));
  }
});

Deno.test("a server that accepts and says nothing ends in 9, one that hangs up in 5", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = ["-p", String((listener.addr as Deno.NetAddr).port), "--wait", "0.2"];
  const silent = runTool(["pub", "-t", "a", "-m", "x", ...args]);
  using _held = await listener.accept();
  assertEquals(await silent, {
    code: 9,
    out: "",
    err: "relayq pub failed: CONNECT: no answer in 0.2 s\n",
  });
  const hungUp = runTool(["pub", "-t", "a", "-m", "x", ...args]);
  (await listener.accept()).close();
  assertEquals((await hungUp).code, 5);
});

Deno.test("pub does not say that it is done when the broker closes before its PUBACK", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String((listener.addr as Deno.NetAddr).port);
  const running = runTool(["pub", "-t", "a", "--repeat", "3", "-m", "x", "-q", "1", "-p", port]);
  const server = WireClient.over(await listener.accept() as Deno.TcpConn);
  await server.expect("CONNECT");
  await server.send({ type: "CONNACK", sessionPresent: false, returnCode: 0 });
  const { packetId } = await server.expect("PUBLISH");
  await server.send({ type: "PUBACK", packetId });
  await server.expect("PUBLISH");
  server.close();
  const { code, err } = await running;
  assertEquals(code, 8);
  assertMatch(err, /relayq pub failed: closed by the server\n1 of 3 messages acknowledged/);
});

Deno.test("the password comes from a file or standard input, and a wrong one ends in 5", async () => {
  await withDirectory(async (directory) => {
    const passwordFile = `${directory}/passwd`;
    await Deno.writeTextFile(passwordFile, await passwordFileText({ alice: "secret" }));
    await Deno.chmod(passwordFile, 0o600);
    await Deno.writeTextFile(`${directory}/right`, "secret\nsecond line\n");
    await using guarded = await TestBroker.start({ security: { passwordFile } }, {
      listener: { allowAnonymous: false },
    });
    const args = [
      "pub",
      "-p",
      String(guarded.port),
      "-t",
      "a",
      "-m",
      "x",
      "-q",
      "1",
      "-u",
      "alice",
    ];
    assertEquals((await runTool([...args, "--password-file", `${directory}/right`])).code, 0);
    assertEquals((await runTool([...args, "--password-stdin"], "secret\n")).code, 0);
    const wrong = await runTool([...args, "--password-stdin"], "guess");
    assertEquals(wrong.code, 5);
    assertMatch(wrong.err, /refused: (bad user name or password|not authorized) \(CONNACK/);
    const none = await runTool(["pub", "-p", String(guarded.port), "-t", "a", "-m", "x"]);
    assertEquals(none.code, 5);
  });
});

Deno.test("as processes: sub ends at SIGINT with 0, and when nobody reads what it writes", async () => {
  const before = broker.server.broker.statistics.subscriptions;
  const address = ["-p", String(broker.port)];
  const listening = spawnTool(["sub", ...address, "-t", "live"]);
  const deaf = spawnTool(["sub", ...address, "-t", "live"]);
  await subscribed(broker, before + 2);
  await deaf.stdout.cancel();
  const publisher = await pub(["-t", "live", "-m", "1", "--repeat", "2", "--repeat-delay", "0.05"]);
  assertEquals(publisher.code, 0);
  assertEquals((await deaf.status).code, 0);
  await deaf.stderr.cancel();
  const reader = listening.stdout.getReader();
  let out = "";
  while (out.length < 4) out += new TextDecoder().decode((await reader.read()).value);
  assertEquals(out, "1\n1\n");
  listening.kill("SIGINT");
  assertEquals((await listening.status).code, 0);
  await reader.cancel();
  assertEquals(await new Response(listening.stderr).text(), "");
});
