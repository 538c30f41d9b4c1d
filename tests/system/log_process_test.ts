/** The log of a real process: whoever reads it, or does not, and whatever its disk says. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { ServedBroker } from "../support/served_broker.ts";
import { TestBroker } from "../support/test_broker.ts";
import { eventually, inDirectory, pause } from "../support/waiting.ts";
import { payload, WireClient } from "../support/wire_client.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
const FILE_BYTES_MAX = 300_000;

/** Comes and goes, which is two lines. */
async function visit(port: number, clientIdentifier: string): Promise<void> {
  await (await WireClient.connect(port, { clientIdentifier })).disconnect();
}

Deno.test("a reader of standard error that does not read stops no client, and not the end", async () => {
  await inDirectory(async (directory) => {
    const toml = "[log]\nrepeats_per_second_max = 0\n";
    await using broker = await ServedBroker.serve({ directory, toml, deaf: true });
    // More than a pipe and the queue hold: 64 KiB and 1 MiB, at 300 bytes a visit.
    for (let i = 0; i < 1_200; i++) await visit(broker.port, `${i}`.padEnd(1_000, "x"));
    using client = await WireClient.connect(broker.port);
    await client.publish("t", "x", { qos: 1 });
    broker.kill("SIGTERM");
    assertEquals((await broker.ended()).code, 0);
  });
});

Deno.test("SIGHUP opens the file of the log anew, so that it can be moved", async () => {
  await inDirectory(async (directory) => {
    const file = `${directory}/relayq.log`;
    const toml = `[log]\nfile = "${file}"\nformat = "json"\n`;
    await using broker = await ServedBroker.serve({ directory, toml });
    await visit(broker.port, "before");
    await eventually("a line", () => Deno.readTextFileSync(file).includes('"before"'));
    await Deno.rename(file, `${file}.old`);
    broker.kill("SIGHUP");
    await eventually("a new file", () => [...Deno.readDirSync(directory)].some(isLog));
    await visit(broker.port, "after");
    await eventually("a line", () => Deno.readTextFileSync(file).includes('"after"'));
    broker.kill("SIGTERM");
    assertEquals((await broker.ended()).code, 0);
    assertEquals(broker.err, "");
    const old = Deno.readTextFileSync(`${file}.old`);
    const now = Deno.readTextFileSync(file);
    assertEquals([old.includes('"after"'), now.includes('"before"')], [false, false]);
    assertStringIncludes(now, "stopping: SIGTERM");
    const lines = `${old}${now}`.trimEnd().split("\n").map((line) => JSON.parse(line));
    const { address, listener, ...who } = lines.find(({ client }) => client === "before");
    assertMatch(address, /^127\.0\.0\.1:\d+$/);
    assertEquals([who.event, who.user, who.room, listener], [
      "connected",
      null,
      "broker",
      "127.0.0.1:0",
    ]);
    assertEquals(Deno.statSync(file).mode! & 0o777 & ~0o640, 0, "not for everybody");
  });
});

function isLog({ name }: Deno.DirEntry): boolean {
  return name === "relayq.log";
}

Deno.test({
  name:
    "a file that the disk has no room for ends nothing: it is told elsewhere, and what is lost is counted",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      const file = `${directory}/relayq.log`;
      const toml = `[log]\nfile = "${file}"\nrepeats_per_second_max = 0\n` +
        `[store]\nkind = "memory"\n[audit]\nenabled = false\n`;
      const script = `trap "" XFSZ; exec prlimit --fsize=${FILE_BYTES_MAX}:unlimited -- "$0" "$@"`;
      await using broker = await ServedBroker.serve({ directory, toml, script });
      let visits = 0;
      while (!broker.err.includes("in trouble")) await visit(broker.port, `${visits++}`);
      assertMatch(broker.err, /^\S+ error log file \S+ in trouble: lines are lost: .*\n$/);
      for (let i = 0; i < 20; i++) await visit(broker.port, `${visits++}`);
      const lift = ["--pid", `${broker.pid}`, "--fsize=unlimited"];
      assert((await new Deno.Command("prlimit", { args: lift }).output()).success);
      await visit(broker.port, `${visits++}`);
      broker.kill("SIGTERM");
      assertEquals((await broker.ended()).code, 0);
      assertStringIncludes(broker.err, "recovered: lines are written again");
      const text = Deno.readTextFileSync(file);
      const lost = /warn {2}log: lost ([\d,]+) lines: /.exec(text)?.[1];
      const whole = [...text.matchAll(/ info {2}(connected|closed): client=.*\n/g)].length;
      // The line that was cut off is there, too.
      const told = whole + Number(lost?.replace(",", "")) - 2 * visits;
      assert(told === 0 || told === 1, `${told} lines too many`);
    });
  },
});

Deno.test("a file that cannot be opened is a reason not to start", async () => {
  await inDirectory(async (directory) => {
    const toml = `[log]\nfile = "${directory}/none/relayq.log"\n`;
    await using broker = ServedBroker.start({ directory, toml });
    assertEquals((await broker.ended()).code, 3);
    assertMatch(broker.err, /^Cannot start: log file \S+: No such file/);
  });
});

Deno.test({
  name: "lines have priorities where JOURNAL_STREAM names the very stream, and only there",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      const log = `${directory}/stderr`;
      const journal = `export JOURNAL_STREAM=$(stat -c %d:%i ${log})`;
      const cases = [
        { script: `exec 2>${log}; ${journal}; exec "$0" "$@"`, toml: "", expected: true },
        { script: `exec 2>${log}; JOURNAL_STREAM=1:2 exec "$0" "$@"`, toml: "", expected: false },
        { script: `exec 2>${log}; exec "$0" "$@"`, toml: "", expected: false },
        {
          script: `exec 2>${log}; ${journal}; exec "$0" "$@"`,
          toml: '[log]\njournald = "off"\n',
          expected: false,
        },
      ];
      for (const { expected, ...options } of cases) {
        await using broker = await ServedBroker.serve({ directory, ...options });
        broker.kill("SIGTERM");
        await broker.ended();
        const lines = Deno.readTextFileSync(log).trimEnd().split("\n");
        assertEquals(lines.every((line) => /^<[3-7]>2/.test(line)), expected, lines.join("\n"));
        assertEquals(lines.some((line) => line.startsWith("<")), expected);
      }
    });
  },
});

Deno.test("the log names who comes and goes, and never a secret, at any level, in any format", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ ann: "right-secret" });
  for (const format of ["text", "json"] as const) {
    const security = { passwordFile };
    await using broker = await TestBroker.start({ security, log: { format, level: "debug" } });
    const ann = { clientIdentifier: "press-7", userName: "ann" };
    using client = await WireClient.connect(broker.port, {
      ...ann,
      password: encode("right-secret"),
      will: { topic: "will" as never, payload: payload("will-secret"), qos: 1 },
    });
    await client.publish("t", "payload-secret", { qos: 1, retain: true });
    using guesser = await WireClient.open(broker.port);
    assertEquals(
      (await guesser.sendConnect({ ...ann, password: encode("wrong-secret") })).returnCode,
      4,
    );
    await client.sendBytes(new TextEncoder().encode("\xff raw-secret"));
    await client.expectClosed();
    await eventually("the end", () => broker.log.join("").includes("protocol error"));
    await pause(20);
    const log = broker.log.join("");
    assertEquals(log.includes("secret"), false, log);
    const about = log.split("\n").filter((line) => line.includes("press-7"));
    assertEquals(about.length >= 4, true, log);
    for (const line of about) {
      if (format === "text") {
        assertMatch(line, /client="press-7" user="ann"|address=127\.0\.0\.1 .* user="ann"/);
      } else {
        const { client, user, address } = JSON.parse(line);
        assertEquals([client, user, /^127\.0\.0\.1(:\d+)?$/.test(address)], [
          "press-7",
          "ann",
          true,
        ]);
      }
    }
  }
});
