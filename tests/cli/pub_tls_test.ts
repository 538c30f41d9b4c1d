/** `relayq pub` and `relayq sub` over TLS and WebSocket, against a real broker. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { runTool, subscribed } from "./_tools.ts";

const MESSAGE = ["-t", "t", "-q", "2", "--lines"];

/** Sends messages of many sizes to oneself, at the same address and in the same way. */
async function roundTrip(broker: TestBroker, { port, way }: {
  port: number;
  way: readonly string[];
}): Promise<void> {
  const sizes = [0, 1, 120, 125, 126, 127, 16_384, 65_530, 65_536, 300_000];
  const lines = sizes.map((size) => "x".repeat(size)).join("\n") + "\n";
  const address = ["-p", String(port), ...way];
  const before = broker.server.broker.statistics.subscriptions;
  const receiving = runTool(
    ["sub", ...address, "-t", "t", "-q", "2", "-C", `${sizes.length}`, "-W", "20"],
  );
  await Promise.race([subscribed(broker, before + 1), receiving]);
  const sent = await runTool(["pub", ...address, ...MESSAGE], lines);
  assertEquals([sent.code, sent.err.replace(/^WARNING: .*\n/, "")], [0, ""]);
  const { code, out } = await receiving;
  assertEquals([code, out.length, out === lines], [0, lines.length, true]);
}

Deno.test("messages of all sizes go over WebSocket", async () => {
  const listener = { websocketPath: "/plant/mqtt" };
  await using broker = await TestBroker.start({}, { listener });
  const { port } = broker;
  await roundTrip(broker, { port, way: ["--websocket-path", "/plant/mqtt"] });
  const elsewhere = await runTool(["pub", "-p", `${port}`, "-t", "t", "-n", "--websocket"]);
  assertEquals(elsewhere.code, 5);
  assertStringIncludes(elsewhere.err, "no WebSocket: HTTP/1.1 404 ");
  const bad = await runTool(["pub", "-t", "t", "-n", "--websocket-path", "mqtt"]);
  assertEquals(bad.code, 2);
});

Deno.test({
  name: `TLS with and without client certificates, over WebSocket, and refusals${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  async fn() {
    const directory = temporaryDirectory();
    const authority = await TestAuthority.root(directory, "tools");
    const stranger = await TestAuthority.root(directory, "stranger");
    const server = await authority.issue({ extensions: SERVER_EXTENSIONS });
    const own = await authority.issue({ subject: "/CN=gateway" });
    const elsewhere = await authority.issue({ extensions: ["subjectAltName=DNS:elsewhere"] });
    const tls = { certificateFile: server.certificateFile, keyFile: server.keyFile };
    const mutual = {
      ...tls,
      clientCertificates: "required",
      caFile: authority.certificateFile,
    } as const;
    await using broker = await TestBroker.start({}, {
      listener: tls,
      more: [
        mutual,
        { ...mutual, websocketPath: "/mqtt" },
        { certificateFile: elsewhere.certificateFile, keyFile: elsewhere.keyFile },
      ],
    });
    const [plain = 0, strict = 0, web = 0, other = 0] = broker.server.addresses.map(({ port }) =>
      port
    );
    const trust = ["--cafile", authority.certificateFile];
    const identity = ["--cert", own.certificateFile, "--key", own.keyFile];
    await roundTrip(broker, { port: plain, way: trust });
    await roundTrip(broker, { port: strict, way: [...trust, ...identity] });
    await roundTrip(broker, { port: web, way: [...trust, ...identity, "--websocket"] });

    async function refusal(port: number, way: readonly string[]): Promise<string> {
      const args = ["pub", "-p", String(port), "-t", "t", "-m", "x", "-q", "1", ...way];
      const { code, out, err } = await runTool(args);
      assertEquals(out, "");
      return `${code} ${err}`;
    }
    assertMatch(await refusal(plain, ["--tls"]), /^8 .*(issuer|certificate)/i);
    assertMatch(await refusal(plain, ["--cafile", stranger.certificateFile]), /^8 /);
    assertMatch(await refusal(other, trust), /^8 .*(name|certificate)/i);
    assertMatch(await refusal(strict, trust), /^[58] /);
    assertMatch(await refusal(plain, []), /^[58] /);
    assertEquals(
      await refusal(other, ["--insecure"]),
      "0 WARNING: --insecure: nobody has checked who the server is\n",
    );
  },
});
