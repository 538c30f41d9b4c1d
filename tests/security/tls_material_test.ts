/** Files of a TLS listener: read all or none, with the reason. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadTlsFiles, type TlsMaterial, type TlsPaths } from "../../src/security/mod.ts";
import {
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  openssl,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { CRYPTO } from "./_judge.ts";

const DIRECTORY = temporaryDirectory();
let created = 0;

function filesTest(
  name: string,
  run: (root: TestAuthority, paths: TlsPaths) => Promise<void>,
): void {
  Deno.test({
    name: name + NEEDS_OPENSSL,
    ignore: !OPENSSL,
    fn: async () => {
      const root = await TestAuthority.root(DIRECTORY, `files-${++created}`);
      const server = await root.issue({ extensions: SERVER_EXTENSIONS });
      await run(root, { ...server, caFile: root.certificateFile, crlFiles: [] });
    },
  });
}

async function load(paths: TlsPaths): Promise<TlsMaterial> {
  const material = await loadTlsFiles(paths, { crypto: CRYPTO, nowMs: Date.now() });
  if ("problem" in material) throw new Error(material.problem);
  return material;
}

async function problemOf(paths: TlsPaths): Promise<string> {
  const material = await loadTlsFiles(paths, { crypto: CRYPTO, nowMs: Date.now() });
  return "problem" in material ? material.problem : "no problem";
}

filesTest("certificate chain, key, CA bundle and CRLs are read", async (root, paths) => {
  const other = await TestAuthority.root(DIRECTORY, `files-other-${created}`);
  const bundle = `${root.directory}/bundle.pem`;
  await Deno.writeTextFile(
    bundle,
    await Deno.readTextFile(root.certificateFile) + await Deno.readTextFile(other.certificateFile),
  );
  const chain = `${root.directory}/chain.pem`;
  await Deno.writeTextFile(
    chain,
    await Deno.readTextFile(paths.certificateFile) + await Deno.readTextFile(root.certificateFile),
  );
  const crlFiles = [await root.crl(), await other.crl()];
  const material = await load({ ...paths, certificateFile: chain, caFile: bundle, crlFiles });
  assertEquals(material.store.authorities.length, 2);
  assertEquals(material.certificatePem.split("BEGIN").length - 1, 2);
  assertEquals(material.caPem.split("BEGIN").length - 1, 2);
  assertEquals(material.warnings, []);
  assertEquals(Math.round((material.notAfterMs - Date.now()) / 86_400_000), 30);
});

filesTest("DER serves as well as PEM, except for the key", async (root, paths) => {
  const certificateFile = `${root.directory}/server.der`;
  const caFile = `${root.directory}/ca.der`;
  await openssl(["x509", "-in", paths.certificateFile, "-outform", "DER", "-out", certificateFile]);
  await openssl(["x509", "-in", root.certificateFile, "-outform", "DER", "-out", caFile]);
  const material = await load({ ...paths, certificateFile, caFile });
  assertStringIncludes(material.certificatePem, "-----BEGIN CERTIFICATE-----");
  assertEquals(material.store.authorities.length, 1);
});

filesTest("what is wrong is said, with the file", async (root, paths) => {
  const garbage = `${root.directory}/garbage`;
  await Deno.writeTextFile(garbage, "no certificate\n");
  const empty = `${root.directory}/empty`;
  await Deno.writeTextFile(empty, "");
  const locked = `${root.directory}/locked.key`;
  await openssl(["ec", "-in", paths.keyFile, "-aes256", "-passout", "pass:x", "-out", locked]);
  const other = await root.issue();
  const version1 = await root.issue({ version1: true });
  for (
    const [changes, ...reasons] of [
      [{ certificateFile: "/nowhere/x" }, "Cannot read /nowhere/x", "No such file"],
      [{ certificateFile: garbage }, `Cannot use certificate ${garbage}`, "BEGIN CERTIFICATE"],
      [{ certificateFile: empty }, `Cannot read ${empty}: it is empty`],
      [{ keyFile: garbage }, `Cannot use private key ${garbage}`],
      [{ keyFile: locked }, `Cannot use private key ${locked}`],
      [{ keyFile: other.keyFile }, "it does not belong to the certificate"],
      [{ caFile: garbage }, `Cannot use CA file ${garbage}`],
      [{ caFile: other.certificateFile }, "is not a CA"],
      [{ caFile: version1.certificateFile }, "certificate 1: X.509 version 1"],
      [{ crlFiles: [garbage] }, `Cannot use CRL file ${garbage}`],
      [{ crlFiles: [root.certificateFile] }, "BEGIN X509 CRL"],
      [{ crlFiles: [await root.crl({ section: "delta" })] }, "delta CRL"],
      [{ caFile: null, crlFiles: [await root.crl()] }, "its issuer is not in the CA bundle"],
    ] as const
  ) {
    const problem = await problemOf({ ...paths, ...changes });
    for (const reason of reasons) assertStringIncludes(problem, reason);
    assert(!problem.includes("\n"), problem);
  }
});

filesTest("what works and will not for long is a warning", async (root, paths) => {
  const other = await TestAuthority.root(DIRECTORY, `files-other-${created}`);
  const bundle = `${root.directory}/bundle.pem`;
  await Deno.writeTextFile(
    bundle,
    await Deno.readTextFile(root.certificateFile) + await Deno.readTextFile(other.certificateFile),
  );
  const server = await root.issue({ extensions: SERVER_EXTENSIONS, notAfter: daysFromNow(3) });
  const late = { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-1) };
  const crlFiles = [await root.crl(late)];
  const { warnings } = await load({ ...paths, ...server, caFile: bundle, crlFiles });
  assertEquals(warnings.length, 3);
  assertStringIncludes(warnings[0]!, 'server certificate "CN=client"');
  assertStringIncludes(warnings[0]!, "expires on");
  assertStringIncludes(warnings[1]!, `no CRL of CA "O=RelayQ tests, CN=files-other-${created}"`);
  assertStringIncludes(warnings[2]!, "the CRL of CA");
});
