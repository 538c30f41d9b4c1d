/** Debian's mosquitto_pub and mosquitto_sub against a real broker. Fails where they are missing. */
import { assertEquals, assertMatch } from "@std/assert";
import { SERVER_EXTENSIONS, temporaryDirectory, TestAuthority } from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(program: string, broker: TestBroker, args: string[]): Promise<Result> {
  const child = start(program, broker, args);
  return await finish(child);
}

function start(program: string, broker: TestBroker, args: string[]): Deno.ChildProcess {
  const address = ["-h", "127.0.0.1", "-p", String(broker.port)];
  return new Deno.Command(program, {
    args: [...address, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(child: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Waits until a subscription is in place: the broker counts them. */
async function subscribed(broker: TestBroker, count: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (broker.server.broker.statistics.subscriptions < count) {
    if (performance.now() > deadline) throw new Error("Cannot see subscription: none for 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (const qos of ["0", "1", "2"]) {
  Deno.test(`mosquitto_pub sends 200 lines at QoS ${qos} and mosquitto_sub prints them in order`, async () => {
    await using broker = await TestBroker.start();
    const subscriber = start("mosquitto_sub", broker, ["-t", "lines", "-q", qos, "-C", "200"]);
    await subscribed(broker, 1);
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    const address = ["-h", "127.0.0.1", "-p", String(broker.port)];
    const publisher = new Deno.Command("mosquitto_pub", {
      args: [...address, "-t", "lines", "-q", qos, "-l"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = publisher.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
    await writer.close();
    assertEquals((await finish(publisher)).code, 0);
    assertEquals((await finish(subscriber)).out, lines.join("\n") + "\n");
  });
}

Deno.test("mosquitto_sub gets a retained message and sees the flag", async () => {
  await using broker = await TestBroker.start();
  await run("mosquitto_pub", broker, ["-t", "state", "-m", "on", "-q", "1", "-r"]);
  const { out } = await run("mosquitto_sub", broker, ["-t", "#", "-F", "%t %p %r", "-C", "1"]);
  assertEquals(out, "state on 1\n");
});

Deno.test("mosquitto_sub has its Will published when it is killed", async () => {
  await using broker = await TestBroker.start();
  const watcher = start("mosquitto_sub", broker, ["-t", "will", "-C", "1"]);
  await subscribed(broker, 1);
  const will = ["--will-topic", "will", "--will-payload", "dead", "--will-qos", "1"];
  const victim = start("mosquitto_sub", broker, ["-t", "x", ...will]);
  await subscribed(broker, 2);
  victim.kill("SIGKILL");
  await victim.output();
  assertEquals((await finish(watcher)).out, "dead\n");
});

Deno.test("mosquitto_sub resumes a persistent session and prints what it missed", async () => {
  await using broker = await TestBroker.start();
  const session = ["-c", "-i", "historian", "-q", "1", "-t", "data/#"];
  assertEquals((await run("mosquitto_sub", broker, [...session, "-E"])).code, 0);
  for (const value of ["1", "2", "3"]) {
    await run("mosquitto_pub", broker, ["-t", "data/x", "-m", value, "-q", "2"]);
  }
  const { out } = await run("mosquitto_sub", broker, [...session, "-C", "3"]);
  assertEquals(out, "1\n2\n3\n");
});

Deno.test("mosquitto_sub reads the broker's figures under $SYS", async () => {
  await using broker = await TestBroker.start({ sysTopics: { enabled: true } });
  const args = ["-t", "$SYS/broker/version", "-t", "$SYS/broker/uptime", "-v", "-C", "2"];
  const { out } = await run("mosquitto_sub", broker, args);
  assertMatch(out, /^\$SYS\/broker\/version relayq version \S+$/m);
  assertMatch(out, /^\$SYS\/broker\/uptime \d+ seconds$/m);
});

Deno.test("mosquitto_pub with MQTT 5 is told that it is not supported", async () => {
  await using broker = await TestBroker.start();
  const { code, err } = await run("mosquitto_pub", broker, ["-V", "5", "-t", "x", "-m", "y"]);
  assertEquals(code !== 0, true);
  assertMatch(err, /Unsupported Protocol Version/i);
});

Deno.test("mosquitto_pub with MQTT 3.1 is refused by default and served on demand", async () => {
  const args = ["-V", "31", "-t", "x", "-m", "y", "-q", "1"];
  await using closed = await TestBroker.start();
  assertEquals((await run("mosquitto_pub", closed, args)).code !== 0, true);
  await using open = await TestBroker.start({ protocol: { mqtt31: true } });
  assertEquals((await run("mosquitto_pub", open, args)).code, 0);
});

Deno.test("mosquitto_pub and mosquitto_sub talk over TLS with client certificates, and not without", async () => {
  const ca = await TestAuthority.root(temporaryDirectory(), "ca");
  const server = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
  const client = await ca.issue({ subject: "/CN=device-1" });
  await using broker = await TestBroker.start({}, {
    listener: { ...server, caFile: ca.certificateFile, clientCertificates: "required" },
  });
  const trust = ["--cafile", ca.certificateFile];
  const own = ["--cert", client.certificateFile, "--key", client.keyFile];
  const arguments_ = [...trust, ...own, "-t", "tls", "-q", "2"];
  const subscriber = start("mosquitto_sub", broker, [...arguments_, "-C", "1"]);
  await subscribed(broker, 1);
  const published = await run("mosquitto_pub", broker, [...arguments_, "-m", "over TLS"]);
  assertEquals(published, { code: 0, out: "", err: "" });
  assertEquals((await finish(subscriber)).out, "over TLS\n");
  const refused = await run("mosquitto_pub", broker, [...trust, "-t", "tls", "-m", "no"]);
  assertEquals(refused.code === 0, false);
});
