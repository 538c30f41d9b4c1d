/** What a running broker records of TLS connections. */
import { assertEquals, assertMatch } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { recorded, told } from "../support/audit_files.ts";
import {
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TlsClient } from "../support/tls_client.ts";
import { connectPacket } from "../support/wire_client.ts";

const ignore = !OPENSSL;

function fingerprintOf({ certificateFile }: IssuedFiles): string {
  const { fingerprint256 } = new X509Certificate(Deno.readTextFileSync(certificateFile));
  return fingerprint256.replaceAll(":", "").toLowerCase();
}

Deno.test({
  name:
    `certificates, versions and ciphers are recorded, and who is refused or revoked${NEEDS_OPENSSL}`,
  ignore,
  fn: async () => {
    const directory = temporaryDirectory();
    const ca = await TestAuthority.root(directory, "ca");
    const crlFile = `${directory}/list.crl`;
    await Deno.copyFile(await ca.crl(), crlFile);
    const listener = {
      ...await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS }),
      caFile: ca.certificateFile,
      crlFile,
      clientCertificates: "required",
      tlsVersionMin: "1.2",
    } as const;
    const certificate = await ca.issue({ subject: "/CN=pump-1" });
    const lines = await recorded({}, async (broker) => {
      const { port } = broker;
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        using client = await TlsClient.connect({ port, certificate, version });
        await client.send(encodePacket(connectPacket({ clientIdentifier: "p" })));
        assertEquals((await client.receive())?.[3], 0);
      }
      using nobody = await TlsClient.connect({ port });
      await nobody.ended();
      using stays = await TlsClient.connect({ port, certificate });
      await stays.send(encodePacket(connectPacket({ clientIdentifier: "stolen" })));
      assertEquals((await stays.receive())?.[3], 0);
      await ca.revoke(certificate);
      await Deno.copyFile(await ca.crl(), crlFile);
      await broker.server.reload();
      await stays.ended();
      using again = await TlsClient.connect({ port, certificate });
      await again.ended();
    }, { listener });
    const fields = ["client", "user", "tls", "tls_resumed", "certificate", "resumed"];
    const expected = {
      event: "connected",
      user: "pump-1",
      tls_resumed: false,
      certificate: fingerprintOf(certificate),
      resumed: false,
    };
    assertEquals(told(lines, ["connected"], fields), [
      { ...expected, client: "p", tls: "TLSv1.2" },
      { ...expected, client: "p", tls: "TLSv1.3" },
      { ...expected, client: "stolen", tls: "TLSv1.3" },
    ]);
    for (const { cipher, serial } of lines.filter(({ event }) => event === "connected")) {
      assertMatch(String(cipher), /^TLS_\w+$/);
      assertMatch(String(serial), /^[0-9a-f]+$/i);
    }
    const refused = told(lines, ["refused"], ["reason", "user", "problem"]);
    assertEquals(refused.map(({ reason, user }) => [reason, user]), [
      ["certificate-refused", undefined],
      ["certificate-refused", undefined],
    ]);
    assertMatch(String(refused[0]?.problem), /^cause=absent /);
    assertMatch(String(refused[1]?.problem), /^cause=revoked /);
    const [revoked] = told(lines, ["revoked"], ["client", "user", "reason"]);
    assertEquals([revoked?.client, revoked?.user], ["stolen", "pump-1"]);
    assertMatch(String(revoked?.reason), /revoked/);
    assertEquals(told(lines, ["reload"], ["what", "result"]).at(-1), {
      event: "reload",
      what: "certificates of listener 127.0.0.1:0",
      result: "ok",
    });
  },
});
