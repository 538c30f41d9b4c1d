/** TLS listeners of the whole server: identities, reload, revocation. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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
import { connectPacket, publishPacket } from "../support/wire_client.ts";

const CONNACK_BYTES = 4;
const ignore = !OPENSSL;

async function server(ca: TestAuthority): Promise<IssuedFiles> {
  return await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
}

/** A client that has been let in, or the return code that it got; null if nothing came. */
async function connected(
  port: number,
  { certificate, ...options }:
    & { certificate?: IssuedFiles; clientIdentifier: string }
    & Parameters<
      typeof connectPacket
    >[0],
): Promise<{ client: TlsClient; code: number | null }> {
  const client = await TlsClient.connect(
    certificate === undefined ? { port } : { port, certificate },
  );
  await client.send(encodePacket(connectPacket(options))).catch(() => {});
  const answer = await client.receive();
  return { client, code: answer?.[CONNACK_BYTES - 1] ?? null };
}

Deno.test({
  name: `a certificate is the user, and passwords are for those without one${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "alice's" });
    const accessFile = await files.access("user pump-1\nallow publish pumps/%u\n");
    await using broker = await TestBroker.start({ security: { passwordFile, accessFile } }, {
      listener: {
        ...await server(ca),
        caFile: ca.certificateFile,
        clientCertificates: "optional",
      },
    });
    const certificate = await ca.issue({ subject: "/CN=pump-1" });
    const pump = await connected(broker.port, { certificate, clientIdentifier: "p" });
    using client = pump.client;
    assertEquals(pump.code, 0);
    const { dropped } = broker.server.broker.statistics;
    for (const [topic, refused] of [["pumps/pump-1", 0], ["pumps/pump-2", 1]] as const) {
      await client.send(encodePacket(publishPacket(topic, "x", { qos: 1, packetId: 1 })));
      await client.receive();
      assertEquals(dropped["publish-refused"], refused);
    }
    const password = encode("alice's");
    for (const [options, code] of [[{}, 5], [{ userName: "alice", password }, 0]] as const) {
      const other = await connected(broker.port, { ...options, clientIdentifier: "o" });
      using _client = other.client;
      assertEquals(other.code, code);
    }
  },
});

Deno.test({
  name: `a reload closes whose certificate is newly revoked, and nobody else${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const directory = temporaryDirectory();
    const ca = await TestAuthority.root(directory, "ca");
    const crlFile = `${directory}/list.crl`;
    await Deno.copyFile(await ca.crl(), crlFile);
    await using broker = await TestBroker.start({}, {
      listener: {
        ...await server(ca),
        caFile: ca.certificateFile,
        clientCertificates: "required",
        crlFile,
      },
    });
    const [good, stolen] = [await ca.issue(), await ca.issue({ subject: "/CN=stolen" })];
    const stays = await connected(broker.port, { certificate: good, clientIdentifier: "good" });
    const leaves = await connected(broker.port, {
      certificate: stolen,
      clientIdentifier: "stolen",
    });
    using first = stays.client;
    using second = leaves.client;
    assertEquals([stays.code, leaves.code], [0, 0]);
    await ca.revoke(stolen);
    await Deno.copyFile(await ca.crl(), crlFile);
    await broker.server.reload();
    assertEquals(await second.ended(), 0);
    assertStringIncludes(broker.log.join(""), "may not stay: ");
    await first.send(Uint8Array.of(0xc0, 0));
    assertEquals([...await first.receive() ?? []], [0xd0, 0], "PINGRESP");
    const again = await connected(broker.port, { certificate: stolen, clientIdentifier: "stolen" });
    using _client = again.client;
    assertEquals(again.code, null);
    assertStringIncludes(broker.log.join(""), "cause=revoked");
  },
});

Deno.test({
  name:
    `a reload takes a new server certificate, and keeps the old one if it is bad${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const directory = temporaryDirectory();
    const ca = await TestAuthority.root(directory, "ca");
    const paths = { certificateFile: `${directory}/s.pem`, keyFile: `${directory}/s.key` };
    const install = async (files: IssuedFiles) => {
      await Deno.copyFile(files.certificateFile, paths.certificateFile);
      await Deno.copyFile(files.keyFile, paths.keyFile);
    };
    await install(await server(ca));
    await using broker = await TestBroker.start({}, { listener: paths });
    const before = await fingerprint(broker.port);
    await install(await server(ca));
    await broker.server.reload();
    const after = await fingerprint(broker.port);
    assert(before !== after);
    await Deno.writeTextFile(paths.certificateFile, "nonsense");
    await broker.server.reload();
    assertStringIncludes(broker.log.join(""), "reload failed, this is as it was: listener ");
    assertEquals(await fingerprint(broker.port), after);
  },
});

Deno.test({
  name: `a file of a listener that cannot be read holds up no other part${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const directory = temporaryDirectory();
    const ca = await TestAuthority.root(directory, "ca");
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "alice's", bob: "bob's" });
    const crlFile = `${directory}/list.crl`;
    const oldList = await Deno.readFile(await ca.crl());
    await Deno.writeFile(crlFile, oldList);
    await using broker = await TestBroker.start({ security: { passwordFile } }, {
      listener: {
        ...await server(ca),
        caFile: ca.certificateFile,
        clientCertificates: "optional",
        crlFile,
      },
    });
    const bob = { userName: "bob", password: encode("bob's"), clientIdentifier: "b" };
    const { client, code } = await connected(broker.port, bob);
    using leaves = client;
    assertEquals(code, 0);
    // Nobody writes into this pipe: reading it would not end.
    const pipe = `${directory}/pipe`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await Deno.rename(pipe, crlFile);
    await files.passwords({ alice: "alice's" });
    await broker.server.reload();
    assertEquals(await leaves.ended(), 0, "his user has gone");
    assertStringIncludes(broker.log.join(""), "list.crl: it is not a regular file");
    const certificate = await ca.issue({ subject: "/CN=stolen" });
    await Deno.rename(crlFile, pipe);
    await Deno.writeFile(crlFile, oldList);
    const first = broker.server.reload();
    await ca.revoke(certificate);
    await Deno.copyFile(await ca.crl(), crlFile);
    await Promise.all([first, broker.server.reload()]);
    const stolen = await connected(broker.port, { certificate, clientIdentifier: "stolen" });
    using _client = stolen.client;
    assertEquals(stolen.code, null, "the younger list counts");
  },
});

async function fingerprint(port: number): Promise<string> {
  const { client, code } = await connected(port, { clientIdentifier: "f" });
  using used = client;
  assertEquals(code, 0);
  return used.socket.getPeerCertificate().fingerprint256;
}
