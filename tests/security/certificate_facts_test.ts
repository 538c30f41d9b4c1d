/** What people are told of the certificates and lists of a listener. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { type CertificateFacts, certificateFacts, loadTlsFiles } from "../../src/security/mod.ts";
import {
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { CRYPTO } from "./_judge.ts";

const DIRECTORY = temporaryDirectory();
const NEXT_UPDATE = new Date(Math.floor(daysFromNow(7).getTime() / 1000) * 1000);

async function factsWith(
  options: Parameters<TestAuthority["issue"]>[0],
  name: string,
): Promise<{ facts: readonly CertificateFacts[]; server: X509Certificate }> {
  const root = await TestAuthority.root(DIRECTORY, name);
  const files = await root.issue({ subject: "/CN=edge", ...options });
  await root.revoke(await root.issue());
  const crlFiles = [await root.crl({ nextUpdate: NEXT_UPDATE })];
  const paths = { ...files, caFile: root.certificateFile, crlFiles };
  const material = await loadTlsFiles(paths, { crypto: CRYPTO, nowMs: Date.now() });
  assert(!("problem" in material), JSON.stringify(material));
  const server = new X509Certificate(await Deno.readTextFile(files.certificateFile));
  return { facts: certificateFacts(material), server };
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

Deno.test({
  name: "facts tell the server's certificate, the authority and its list" + NEEDS_OPENSSL,
  ignore: !OPENSSL,
  fn: async () => {
    const { facts, server } = await factsWith({ extensions: SERVER_EXTENSIONS }, "facts");
    assertEquals(facts.map(({ kind }) => kind), ["server", "authority", "crl"]);
    const [own, authority, list] = facts;
    assertEquals(own!.fingerprint, fingerprintOf(server));
    assertEquals(own!.notAfterMs, Date.parse(server.validTo));
    assertMatch(own!.subject!, /edge/);
    assertEquals(own!.issuer, authority!.subject);
    assertEquals([list!.subject, list!.fingerprint, list!.revoked], [null, null, 1]);
    assertEquals([list!.issuer, list!.notAfterMs], [authority!.subject!, NEXT_UPDATE.getTime()]);
  },
});

Deno.test({
  name: "facts tell a server's certificate that clients could not show" + NEEDS_OPENSSL,
  ignore: !OPENSSL,
  fn: async () => {
    const { facts, server } = await factsWith({ version1: true }, "facts-foreign");
    const own = facts[0]!;
    assertEquals(own.kind, "server");
    assertEquals(own.fingerprint, fingerprintOf(server));
    assertEquals(own.notBeforeMs, Date.parse(server.validFrom));
    assertEquals(own.notAfterMs, Date.parse(server.validTo));
    assertMatch(own.subject!, /edge/);
  },
});
