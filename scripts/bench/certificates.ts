/** Certificates for both sides of the TLS items: P-256, an authority of their own, made by `openssl`. */

import { HOST } from "./wire.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  authority: string;
  server: { certificate: string; key: string };
  client: { certificate: string; key: string };
}

const DAYS = "2";

/** Makes them in this directory. */
export async function makeCertificates(directory: string): Promise<CertificateFiles> {
  const authority = `${directory}/authority.pem`;
  const authorityKey = `${directory}/authority.key`;
  const issuer = ["-CA", authority, "-CAkey", authorityKey];
  await certify("/CN=bench authority", {
    certificate: authority,
    key: authorityKey,
    // Added to those of OpenSSL's own configuration, which make it an authority.
    arguments: ["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  });
  const server = { certificate: `${directory}/server.pem`, key: `${directory}/server.key` };
  const client = { certificate: `${directory}/client.pem`, key: `${directory}/client.key` };
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await certify("/CN=bench server", {
    ...server,
    arguments: [...issuer, ...leaf, "-addext", `subjectAltName=IP:${HOST}`],
  });
  await certify("/CN=bench client", {
    ...client,
    arguments: [...issuer, ...leaf, "-addext", "extendedKeyUsage=clientAuth"],
  });
  return { authority, server, client };
}

async function certify(
  subject: string,
  of: { certificate: string; key: string; arguments: readonly string[] },
): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
      .concat(["-days", DAYS, "-subj", subject, "-out", of.certificate, "-keyout", of.key])
      .concat(of.arguments),
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`Cannot make certificates: ${new TextDecoder().decode(stderr)}`);
}
