/** Keys of the table `admin` that are about TLS; the certificates are made by `openssl`. */
import { assertEquals } from "@std/assert";
import { type AdminPki, askTls, makeAdminPki, tlsAdminBroker } from "../admin/_tls_api.ts";
import { ask } from "../admin/_http_client.ts";
import { temporaryDirectory } from "../support/test_authority.ts";
import type { KeyCases } from "./_cases.ts";

let made: Promise<AdminPki> | null = null;

function pki(): Promise<AdminPki> {
  return made ??= makeAdminPki(temporaryDirectory());
}

/** The cases by path. */
export const adminTlsCases: KeyCases = {
  "admin.certificate_file": async () => {
    const { server } = await pki();
    await using broker = await tlsAdminBroker(server);
    assertEquals((await askTls(broker, "/healthz")).status, 200);
    const plain = await ask(broker, "/healthz").catch(() => null);
    assertEquals(plain, null);
  },
  "admin.key_file": async () => {
    const { server, client } = await pki();
    const files = { ...server, keyFile: client.keyFile };
    const started = await tlsAdminBroker(files).catch((error) => String(error));
    assertEquals(typeof started, "string", "a key of another certificate does not start");
  },
  "admin.client_certificates": async () => {
    const { ca, server, client: certificate } = await pki();
    for (const [clientCertificates, without] of [["optional", 200], ["required", 0]] as const) {
      await using broker = await tlsAdminBroker(server, {
        clientCertificates,
        caFile: ca.certificateFile,
      });
      assertEquals((await askTls(broker, "/healthz")).status, without);
      assertEquals((await askTls(broker, "/healthz", { certificate })).status, 200);
    }
  },
  "admin.ca_file": async () => {
    const { ca, server, client: certificate } = await pki();
    const other = (await makeAdminPki(temporaryDirectory())).ca;
    for (const [{ certificateFile: caFile }, status] of [[ca, 200], [other, 0]] as const) {
      const admin = { clientCertificates: "required", caFile } as const;
      await using broker = await tlsAdminBroker(server, admin);
      assertEquals((await askTls(broker, "/healthz", { certificate })).status, status);
    }
  },
  "admin.crl_file": async () => {
    const { ca, server } = await pki();
    const revoked = await ca.issue({ subject: "/CN=gone" });
    await ca.revoke(revoked);
    for (const [crlFile, status] of [["", 200], [await ca.crl(), 0]] as const) {
      await using broker = await tlsAdminBroker(server, {
        clientCertificates: "required",
        caFile: ca.certificateFile,
        crlFile,
      });
      assertEquals((await askTls(broker, "/healthz", { certificate: revoked })).status, status);
    }
  },
};
