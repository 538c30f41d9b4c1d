/** Revocation lists that `openssl` made: what is read, what is refused, and what they revoke. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseCrl, parseCrls } from "../../src/security/crl.ts";
import {
  CLIENT_EXTENSIONS,
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  openssl,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { derOf, judgeOf, storeOf, type TrustOptions } from "./_judge.ts";

const DIRECTORY = temporaryDirectory();
let created = 0;

function crlTest(name: string, run: (root: TestAuthority) => Promise<void>): void {
  Deno.test({
    name: name + NEEDS_OPENSSL,
    ignore: !OPENSSL,
    fn: async () => await run(await TestAuthority.root(DIRECTORY, `crl-root-${++created}`)),
  });
}

/** `accepted`, or the cause of the refusal. */
function outcome(options: TrustOptions, presented: readonly Uint8Array[]): string {
  const verdict = judgeOf(options).judge(presented, Date.now());
  return verdict.accepted ? "accepted" : verdict.cause;
}

function problemOf(options: TrustOptions): string {
  const store = storeOf(options);
  return "problem" in store ? store.problem : "no problem";
}

crlTest("a revoked certificate is refused, its neighbours are not", async (root) => {
  const revoked = await root.issue();
  const good = await root.issue();
  await root.revoke(revoked);
  const crlFiles = [await root.crl()];
  assertEquals(outcome({ authorities: [root], crlFiles }, derOf(revoked)), "revoked");
  assertEquals(outcome({ authorities: [root], crlFiles }, derOf(good)), "accepted");
});

crlTest("PEM, DER and several lists in one file are read", async (root) => {
  const other = await TestAuthority.root(DIRECTORY, `crl-other-${created}`);
  const [mine, theirs] = [await root.issue(), await other.issue()];
  await root.revoke(mine);
  await other.revoke(theirs);
  const [first, second] = [await root.crl(), await other.crl()];
  const both = `${root.directory}/both.crl`;
  const texts = [await Deno.readTextFile(first), await Deno.readTextFile(second)];
  await Deno.writeTextFile(both, `# two\n${texts.join("between\n")}`);
  const der = `${root.directory}/der.crl`;
  await openssl(["crl", "-in", first, "-outform", "DER", "-out", der]);
  const authorities = [root, other];
  for (const crlFiles of [[both], [first, second], [der, second]]) {
    assertEquals(outcome({ authorities, crlFiles }, derOf(mine)), "revoked");
    assertEquals(outcome({ authorities, crlFiles }, derOf(theirs)), "revoked");
  }
});

crlTest("a list of version 1 counts", async (root) => {
  const revoked = await root.issue();
  await root.revoke(revoked);
  const file = `${root.directory}/v1.crl`;
  const config = await Deno.readTextFile(`${root.directory}/ca.cnf`);
  const plain = `${root.directory}/v1.cnf`;
  await Deno.writeTextFile(plain, config.replace(/^crlnumber.*$/m, ""));
  await openssl(
    ["ca", "-gencrl", "-config", plain, "-cert", root.certificateFile, "-keyfile", root.keyFile]
      .concat(["-crldays", "7", "-out", file]),
  );
  assertEquals(outcome({ authorities: [root], crlFiles: [file] }, derOf(revoked)), "revoked");
});

crlTest("of two lists of one issuer the newer one counts, whatever their order", async (root) => {
  const leaf = await root.issue();
  const before = await root.crl({ thisUpdate: daysFromNow(-2) });
  await root.revoke(leaf);
  const after = await root.crl({ thisUpdate: daysFromNow(-1) });
  for (const crlFiles of [[before, after], [after, before]]) {
    assertEquals(outcome({ authorities: [root], crlFiles }, derOf(leaf)), "revoked");
  }
  assertEquals(outcome({ authorities: [root], crlFiles: [before] }, derOf(leaf)), "accepted");
});

crlTest("a list of another scope stands beside the complete one", async (root) => {
  const [first, second] = [await root.issue(), await root.issue()];
  await root.revoke(first);
  const part = await root.crl({ section: "part", thisUpdate: daysFromNow(-3) });
  await root.revoke(second);
  const complete = await root.crl();
  const options = { authorities: [root], crlFiles: [part, complete] };
  assertEquals(outcome(options, derOf(first)), "revoked");
  assertEquals(outcome(options, derOf(second)), "revoked");
  assertEquals(outcome({ ...options, crlFiles: [part] }, derOf(second)), "accepted");
});

crlTest("delta, indirect, partial-reason and unknown critical lists are refused", async (root) => {
  for (
    const [section, reason] of [
      ["delta", "delta CRL"],
      ["indirect", "indirect CRL"],
      ["reasons", "onlySomeReasons"],
      ["unknown", "unknown critical extension 1.2.3.4.5"],
    ] as const
  ) {
    const crlFiles = [await root.crl({ section })];
    assertStringIncludes(problemOf({ authorities: [root], crlFiles }), reason);
  }
});

crlTest("a list that its issuer has not signed is refused", async (root) => {
  const other = await TestAuthority.root(DIRECTORY, `crl-other-${created}`);
  await root.revoke(await root.issue());
  const file = await root.crl();
  assertStringIncludes(
    problemOf({ authorities: [other], crlFiles: [file] }),
    "not in the CA bundle",
  );
  const der = await openssl(["crl", "-in", file, "-outform", "DER"]);
  const at = der.length - 5;
  der[at] = der[at]! ^ 1;
  const broken = `${root.directory}/broken.crl`;
  await Deno.writeFile(broken, der);
  assertStringIncludes(problemOf({ authorities: [root], crlFiles: [broken] }), "verif");
  const noCrlSign = await root.subordinate(`no-crl-sign-${created}`, {
    extensions: ["basicConstraints=CA:TRUE", "keyUsage=keyCertSign", "subjectKeyIdentifier=hash"],
  });
  const crlFiles = [await noCrlSign.crl()];
  assertStringIncludes(problemOf({ authorities: [noCrlSign], crlFiles }), "may not sign CRLs");
});

crlTest("a list past its nextUpdate refuses or warns, and goes on revoking", async (root) => {
  const [good, revoked] = [await root.issue(), await root.issue()];
  await root.revoke(revoked);
  const dates = { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) };
  const crlFiles = [await root.crl(dates)];
  const refuses = { authorities: [root], crlFiles };
  const warns = { ...refuses, policy: { crlExpired: "warn" } } as const;
  assertEquals(outcome(refuses, derOf(good)), "crlExpired");
  assertEquals(outcome(refuses, derOf(revoked)), "revoked");
  assertEquals(outcome(warns, derOf(good)), "accepted");
  assertEquals(outcome(warns, derOf(revoked)), "revoked");
  const verdict = judgeOf(warns).judge(derOf(good), Date.now());
  assert(verdict.accepted && verdict.warnings.join().includes("expired on"));
});

crlTest("no list of an issuer refuses or warns, once there is any list", async (root) => {
  const other = await TestAuthority.root(DIRECTORY, `crl-other-${created}`);
  const authorities = [root, other];
  const leaf = derOf(await other.issue());
  const crlFiles = [await root.crl()];
  assertEquals(outcome({ authorities }, leaf), "accepted");
  assertEquals(outcome({ authorities, crlFiles }, leaf), "accepted");
  const policy = { crlMissing: "refuse" } as const;
  assertEquals(outcome({ authorities, crlFiles, policy }, leaf), "crlMissing");
  assertEquals(outcome({ authorities, policy }, leaf), "accepted");
});

crlTest("a revoked intermediate CA takes what it issued along", async (root) => {
  const middle = await root.subordinate(`revoked-middle-${created}`);
  const leaf = await middle.issue();
  await root.revoke(middle);
  const crlFiles = [await root.crl()];
  assertEquals(outcome({ authorities: [root], crlFiles }, derOf(leaf, middle)), "revoked");
  // Also where the intermediate one is in the bundle: its issuer has the last word.
  assertEquals(outcome({ authorities: [middle, root], crlFiles }, derOf(leaf)), "revoked");
});

crlTest("a list of an intermediate CA counts for it", async (root) => {
  const middle = await root.subordinate(`listing-middle-${created}`);
  const leaf = await middle.issue();
  await middle.revoke(leaf);
  const crlFiles = [await middle.crl()];
  const presented = derOf(leaf, middle);
  assertEquals(outcome({ authorities: [root, middle], crlFiles }, presented), "revoked");
  // Not from the certificate that the client sends: what an operator loads is tied to his bundle.
  assertStringIncludes(problemOf({ authorities: [root], crlFiles }), "not in the CA bundle");
});

crlTest("10,000 entries are read, and looked up by serial number", async (root) => {
  await root.revokeMany(10_000);
  const file = await root.crl();
  const der = await openssl(["crl", "-in", file, "-outform", "DER"]);
  const crl = parseCrl(der);
  if ("problem" in crl) throw new Error(`Cannot parse: ${crl.problem}`);
  assertEquals(crl.revoked.size, 10_000);
  assert(crl.revoked.has((0x10000000 + 9_999).toString(16)));
  const leaf = await root.issue({ extensions: CLIENT_EXTENSIONS });
  assertEquals(outcome({ authorities: [root], crlFiles: [file] }, derOf(leaf)), "accepted");
});

Deno.test("what is no list is refused with a reason", () => {
  for (
    const [bytes, reason] of [
      [new Uint8Array(0), 'no "-----BEGIN X509 CRL-----"'],
      [new TextEncoder().encode("-----BEGIN X509 CRL-----\nAAAA"), "has no end"],
      [
        new TextEncoder().encode("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----"),
        "not base64",
      ],
      [Uint8Array.of(0x30, 0x80, 0, 0), "invalid length"],
      [Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x01), "tag 0x2 where 0x30 belongs"],
    ] as const
  ) {
    const read = parseCrls(bytes);
    assert("problem" in read);
    assertStringIncludes(read.problem, reason);
  }
});
