/** Pins of users and Client Identifiers, and whom the log names, with real certificates. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import {
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { connectPacket } from "../support/wire_client.ts";

const ignore = !OPENSSL;

/** A broker with TLS that asks for certificates, and passwords for those without one. */
async function start(
  files: SecurityFiles,
  { ca, pins }: { ca: TestAuthority; pins?: string },
): Promise<TestBroker> {
  const server = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
  const passwordFile = await files.passwords({ "pump-1": "right", alice: "right" });
  const pinFile = pins === undefined ? "" : await files.pins(pins);
  return await TestBroker.start({ security: { passwordFile, pinFile } }, {
    listener: { ...server, caFile: ca.certificateFile, clientCertificates: "optional" },
  });
}

/** Connects and leaves the connection open; gives the return code. */
async function connect(
  broker: TestBroker,
  options: { certificate?: IssuedFiles } & Parameters<typeof connectPacket>[0],
): Promise<{ client: TlsClient; code: number | undefined }> {
  const { certificate, ...rest } = options;
  const { port } = broker;
  const client = await TlsClient.connect(
    certificate === undefined ? { port } : { port, certificate },
  );
  await client.send(encodePacket(connectPacket(rest)));
  return { client, code: (await client.receive())?.[3] };
}

async function codeOf(...args: Parameters<typeof connect>): Promise<number | undefined> {
  const { client, code } = await connect(...args);
  using _client = client;
  return code;
}

async function pinOf({ certificateFile }: IssuedFiles): Promise<string> {
  const { fingerprint256 } = new X509Certificate(await Deno.readTextFile(certificateFile));
  return `sha256/${fingerprint256}`;
}

Deno.test({
  name: `a pin binds a user and a Client Identifier to a certificate${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    const [mine, double, other] = [
      await ca.issue({ subject: "/CN=pump-1" }),
      await ca.issue({ subject: "/CN=pump-1" }),
      await ca.issue({ subject: "/CN=other" }),
    ];
    const pin = await pinOf(mine);
    await using files = await SecurityFiles.make();
    await using broker = await start(files, { ca, pins: `user pump-1 ${pin}\nclient p ${pin}\n` });
    assertEquals(await codeOf(broker, { certificate: mine, clientIdentifier: "p" }), 0);
    assertEquals(await codeOf(broker, { certificate: double, clientIdentifier: "x" }), 5);
    assertEquals(await codeOf(broker, { certificate: other, clientIdentifier: "p" }), 5);
    assertEquals(await codeOf(broker, { certificate: other, clientIdentifier: "o" }), 0);
    const password = encode("right");
    const [pump, alice] = [{ userName: "pump-1", password }, { userName: "alice", password }];
    assertEquals(await codeOf(broker, { ...pump, clientIdentifier: "y" }), 4);
    assertEquals(await codeOf(broker, { ...alice, clientIdentifier: "p" }), 4);
    assertEquals(await codeOf(broker, { ...alice, clientIdentifier: "a" }), 0);
    const { client } = await connect(broker, { certificate: mine, clientIdentifier: "p" });
    using _client = client;
    await files.pins(`user pump-1 ${await pinOf(double)}\n`);
    await broker.server.reload();
    await client.ended();
    assertStringIncludes(broker.log.join(""), "another certificate is pinned now");
    assertEquals(await codeOf(broker, { certificate: double, clientIdentifier: "x" }), 0);
  },
});

Deno.test({
  name:
    `the log names whom the certificate names, not whom the client claims to be${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    await using files = await SecurityFiles.make();
    await using broker = await start(files, { ca });
    const certificate = await ca.issue({ subject: "/CN=pump-1" });
    const claim = { userName: "alice", password: encode("?"), clientIdentifier: "p" };
    assertEquals(await codeOf(broker, { certificate, ...claim }), 0);
    const log = broker.log.join("");
    assertStringIncludes(log, 'connected: client="p" user="pump-1" address=');
    assert(!log.includes("alice"));
    // By password the same user has the same sessions.
    const away = { clientIdentifier: "s", cleanSession: false };
    assertEquals(await codeOf(broker, { certificate, ...away }), 0);
    const password = encode("right");
    assertEquals(await codeOf(broker, { ...away, userName: "alice", password }), 2);
    assertEquals(await codeOf(broker, { ...away, userName: "pump-1", password }), 0);
  },
});
