/** The admin listener over TLS: certificates instead of tokens, and no way past them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { newToken } from "../../src/security/mod.ts";
import {
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
} from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { writeTokens } from "./_api.ts";
import { type AdminPki, askTls, makeAdminPki, tlsAdminBroker } from "./_tls_api.ts";

const DIRECTORY = OPENSSL ? temporaryDirectory() : "";
let made: Promise<AdminPki> | null = null;

function tlsTest(name: string, run: (pki: AdminPki) => Promise<void>): void {
  const fn = async () => await run(await (made ??= makeAdminPki(DIRECTORY)));
  Deno.test({ name: name + NEEDS_OPENSSL, ignore: !OPENSSL, fn });
}

/** Clients show certificates if they like. */
async function mutual({ ca, server }: AdminPki, lines: string): Promise<{
  broker: TestBroker;
  tokensFile: string;
  token: string;
}> {
  const tokensFile = `${DIRECTORY}/tokens-${crypto.randomUUID()}`;
  const token = newToken();
  await writeTokens(tokensFile, { read: token }, lines);
  const broker = await tlsAdminBroker(server, {
    clientCertificates: "optional",
    caFile: ca.certificateFile,
    tokensFile,
  });
  return { broker, tokensFile, token };
}

tlsTest("a client certificate has the role that the tokens file gives its name", async (pki) => {
  const { broker, tokensFile } = await mutual(pki, "cert:ops:read\n");
  await using _ = broker;
  const { client: certificate } = pki;
  assertEquals((await askTls(broker, "/api/v1/status", { certificate })).status, 200);
  const config = await askTls(broker, "/api/v1/config", { certificate });
  assertEquals(config.status, 403);
  assertStringIncludes(config.text, "ops has the role read");
  await writeTokens(tokensFile, {}, "cert:ops:admin\n");
  await broker.server.reload();
  assertEquals((await askTls(broker, "/api/v1/config", { certificate })).status, 200);
  await writeTokens(tokensFile, {}, "cert:somebody:admin\n");
  await broker.server.reload();
  const without = await askTls(broker, "/api/v1/status", { certificate });
  assertEquals(without.status, 403);
  assertStringIncludes(without.text, "it has no role");
});

tlsTest("a token counts over TLS, with or without a certificate", async (pki) => {
  const { broker, token } = await mutual(pki, "cert:ops:admin\n");
  await using _ = broker;
  const { client: certificate } = pki;
  assertEquals((await askTls(broker, "/api/v1/status", { token })).status, 200);
  assertEquals((await askTls(broker, "/api/v1/status")).status, 401);
  // Who says who he is by a token is that, and no more.
  assertEquals((await askTls(broker, "/api/v1/config", { token, certificate })).status, 403);
});

tlsTest("a certificate of another authority does not get in", async (pki) => {
  const { broker } = await mutual(pki, "cert:ops:admin\n");
  await using _ = broker;
  const other = await makeAdminPki(temporaryDirectory());
  const { status } = await askTls(broker, "/healthz", { certificate: other.client });
  assertEquals(status, 0);
  assertStringIncludes(broker.log.join(""), "cause=untrusted");
});

tlsTest("a session that was resumed is judged like any other", async ({ ca, server }) => {
  // The runtime opens tickets of every listener of the process: this one asks for no certificate.
  await using lenient = await tlsAdminBroker(server);
  await using strict = await tlsAdminBroker(server, {
    clientCertificates: "required",
    caFile: ca.certificateFile,
  });
  const file = `${DIRECTORY}/${crypto.randomUUID()}.ticket`;
  const first = await sClient(lenient, ["-sess_out", file]);
  assertStringIncludes(first, "200 OK");
  const resumed = await sClient(lenient, ["-sess_in", file]);
  assertStringIncludes(resumed, "Reused, ");
  const refused = await sClient(strict, ["-sess_in", file]);
  assertStringIncludes(refused, "Reused, ");
  assert(!refused.includes("200 OK"));
  assertStringIncludes(strict.log.join(""), "cause=absent");
});

tlsTest("certificates are shown with the days that are left, and are read again", async (pki) => {
  const { server, ca, client } = pki;
  const { broker, token } = await mutual(pki, "");
  await using _ = broker;
  async function certificates(): Promise<Record<string, unknown>[]> {
    const { text } = await askTls(broker, "/api/v1/certificates", { token });
    return JSON.parse(text.slice(text.indexOf("\r\n\r\n"))).items;
  }
  const [first, second] = await certificates();
  assertEquals([first!.kind, first!.subject, first!.file], [
    "server",
    "CN=localhost",
    server.certificateFile,
  ]);
  assertEquals(first!.days_left, 29);
  assertEquals([second!.kind, second!.file], ["authority", ca.certificateFile]);
  assertEquals(second!.used_by, ["127.0.0.1:0"]);
  const next = await ca.issue({ subject: "/CN=next" });
  const kept = await Promise.all(
    [server.certificateFile, server.keyFile].map((path) => Deno.readTextFile(path)),
  );
  try {
    await Deno.copyFile(next.certificateFile, server.certificateFile);
    await broker.server.reload();
    assertStringIncludes(broker.log.join(""), "reload failed, this is as it was: admin listener: ");
    assertEquals((await certificates())[0]!.subject, "CN=localhost");
    await Deno.copyFile(next.keyFile, server.keyFile);
    await broker.server.reload();
    assertEquals((await certificates())[0]!.subject, "CN=next");
  } finally {
    await Deno.writeTextFile(server.certificateFile, kept[0]!);
    await Deno.writeTextFile(server.keyFile, kept[1]!);
  }
  assertEquals((await askTls(broker, "/healthz", { certificate: client })).status, 200);
});

tlsTest(
  "a certificate that is revoked ends the streams of its owner, and no other",
  async (pki) => {
    const { ca, server } = pki;
    const tokensFile = `${DIRECTORY}/tokens-${crypto.randomUUID()}`;
    await writeTokens(tokensFile, {}, "cert:leaver:read\ncert:stayer:read\n");
    const crlFile = await ca.crl();
    await using broker = await tlsAdminBroker(server, {
      clientCertificates: "required",
      caFile: ca.certificateFile,
      crlFile,
      tokensFile,
    });
    const leaver = await ca.issue({ subject: "/CN=leaver" });
    const stayer = await ca.issue({ subject: "/CN=stayer" });
    const streams: TlsClient[] = [];
    for (const certificate of [leaver, stayer]) {
      const { port } = broker.server.adminAddress!;
      const client = await TlsClient.connect({ port, certificate });
      streams.push(client);
      const request = "GET /api/v1/events?topics=log HTTP/1.1\r\nHost: localhost\r\n\r\n";
      await client.send(new TextEncoder().encode(request));
      await untilText(client, "event: hello");
    }
    await ca.revoke(leaver);
    await Deno.copyFile(await ca.crl(), crlFile);
    await broker.server.reload();
    await streams[0]!.ended();
    broker.server.turns.log.line("warn", "still: here");
    await untilText(streams[1]!, "still: here");
    for (const stream of streams) stream[Symbol.dispose]();
  },
);

tlsTest("a certificate that runs out soon is a warning of the status", async ({ ca }) => {
  const server = await ca.issue({
    subject: "/CN=localhost",
    extensions: SERVER_EXTENSIONS,
    notAfter: daysFromNow(5),
  });
  const { broker, token } = await mutual({ ca, server, client: server }, "");
  await using _ = broker;
  const { text } = await askTls(broker, "/api/v1/status", { token });
  const { warnings } = JSON.parse(text.slice(text.indexOf("\r\n\r\n")));
  assertEquals(warnings.length, 1);
  assertStringIncludes(warnings[0], "a certificate of listener 127.0.0.1:0 expires on ");
});

async function untilText(client: TlsClient, wanted: string): Promise<void> {
  let text = "";
  while (!text.includes(wanted)) {
    const part = await client.receive();
    assert(part !== null, `the stream ended: ${text}`);
    text += new TextDecoder().decode(part);
  }
}

/** `openssl s_client` with one request. */
async function sClient({ server }: TestBroker, args: readonly string[]): Promise<string> {
  const process = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${server.adminAddress!.port}`, "-tls1_3", "-ign_eof"]
      .concat(args),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), 10_000);
  const output = process.output();
  const writer = process.stdin.getWriter();
  const request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  await writer.write(new TextEncoder().encode(request)).catch(() => {});
  const { stdout } = await output;
  clearTimeout(timer);
  await writer.close().catch(() => {});
  return new TextDecoder().decode(stdout);
}
