/** Verdicts on client certificates that `openssl` made. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CertificateJudge } from "../../src/security/mod.ts";
import {
  CA_EXTENSIONS,
  CLIENT_EXTENSIONS,
  DAY_MS,
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  openssl,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { CRYPTO, derOf, judgeOf, parsed, trustOf } from "./_judge.ts";

const DIRECTORY = temporaryDirectory();
/** Without these lines openssl writes key identifiers, and names alone never meet. */
const NO_KEY_IDS = ["authorityKeyIdentifier=none", "subjectKeyIdentifier=none"];
let created = 0;

/** A test that needs `openssl`, with a new authority. */
function certificateTest(name: string, run: (root: TestAuthority) => Promise<void>): void {
  Deno.test({
    name: name + NEEDS_OPENSSL,
    ignore: !OPENSSL,
    fn: async () => await run(await TestAuthority.root(DIRECTORY, `root-${++created}`)),
  });
}

/** `accepted IDENTITY`, or the cause of the refusal. */
function outcome(judge: CertificateJudge, presented: readonly Uint8Array[], at = new Date()) {
  const verdict = judge.judge(presented, at.getTime());
  return verdict.accepted ? `accepted ${verdict.certificate?.identity}` : verdict.cause;
}

function warningsOf(judge: CertificateJudge, presented: readonly Uint8Array[], at = new Date()) {
  const verdict = judge.judge(presented, at.getTime());
  return verdict.accepted ? verdict.warnings : [`refused: ${verdict.reason}`];
}

certificateTest("a certificate of the CA is accepted, one of another CA is not", async (root) => {
  const stranger = await TestAuthority.root(DIRECTORY, `stranger-${created}`);
  const judge = judgeOf({ authorities: [root] });
  const pump = derOf(await root.issue({ subject: "/CN=pump" }));
  assertEquals(outcome(judge, pump), "accepted pump");
  // As people see it; the encoding has a zero in front, since the number is positive.
  assertEquals(parsed(pump[0]!).serial, "8001");
  assertEquals(outcome(judge, derOf(await stranger.issue())), "untrusted");
  assertEquals(outcome(judge, derOf(stranger)), "untrusted");
});

certificateTest("a CA of the same name with another key has issued nothing", async (root) => {
  const name = `root-${created}`;
  await Deno.mkdir(`${DIRECTORY}/twin-${created}`);
  const twin = await TestAuthority.root(`${DIRECTORY}/twin-${created}`, name);
  const withId = await twin.issue();
  const withoutId = await twin.issue({ extensions: NO_KEY_IDS });
  const judge = judgeOf({ authorities: [root] });
  assertEquals(outcome(judge, derOf(withId)), "untrusted");
  assertEquals(outcome(judge, derOf(withoutId)), "untrusted");
  assertEquals(
    outcome(judgeOf({ authorities: [root, twin] }), derOf(withoutId)),
    "accepted client",
  );
});

certificateTest("none, optional and required say what no certificate means", (root) => {
  for (
    const [clientCertificate, expected] of [
      ["none", "accepted undefined"],
      ["optional", "accepted undefined"],
      ["required", "absent"],
    ] as const
  ) {
    assertEquals(
      outcome(judgeOf({ authorities: [root], policy: { clientCertificate } }), []),
      expected,
    );
  }
  return Promise.resolve();
});

certificateTest("optional still refuses a certificate that does not hold", async (root) => {
  const stranger = await TestAuthority.root(DIRECTORY, `stranger-${created}`);
  const judge = judgeOf({ authorities: [root], policy: { clientCertificate: "optional" } });
  assertEquals(outcome(judge, derOf(await stranger.issue())), "untrusted");
});

certificateTest("validity is checked for every certificate of the path", async (root) => {
  const old = await root.issue({ notBefore: daysFromNow(-20), notAfter: daysFromNow(-1) });
  const young = await root.issue({ notBefore: daysFromNow(1) });
  const judge = judgeOf({ authorities: [root] });
  assertEquals(outcome(judge, derOf(old)), "expired");
  assertEquals(outcome(judge, derOf(young)), "notYetValid");
  const middle = await root.subordinate(`middle-${created}`, { notAfter: daysFromNow(2) });
  const leaf = await middle.issue();
  assertEquals(outcome(judge, derOf(leaf, middle)), "accepted client");
  assertEquals(outcome(judge, derOf(leaf, middle), daysFromNow(3)), "expired");
  assertEquals(outcome(judge, derOf(leaf, middle), daysFromNow(400)), "expired");
});

certificateTest("a verdict is remembered only for as long as it holds", async (root) => {
  const leaf = derOf(await root.issue({ notAfter: daysFromNow(3) }));
  const judge = judgeOf({ authorities: [root], crlFiles: [await root.crl()] });
  assertEquals(outcome(judge, leaf), "accepted client");
  assertEquals(outcome(judge, leaf, daysFromNow(4)), "expired");
  assertEquals(outcome(judge, leaf, daysFromNow(-2)), "notYetValid");
  const lasting = derOf(await root.issue());
  assertEquals(outcome(judge, lasting), "accepted client");
  assertEquals(outcome(judge, lasting, daysFromNow(8)), "crlExpired");
});

certificateTest(
  "grace: a clock that was never set lets what is not yet valid pass",
  async (root) => {
    const leaf = derOf(await root.issue());
    const atBoot = new Date(0);
    assertEquals(outcome(judgeOf({ authorities: [root] }), leaf, atBoot), "notYetValid");
    const judge = judgeOf({ authorities: [root], policy: { certificateClock: "grace" } });
    assertEquals(outcome(judge, leaf, atBoot), "accepted client");
    assertStringIncludes(warningsOf(judge, leaf, atBoot).join(), "the clock is not set");
    // Once the clock is set there is neither grace nor warning left.
    assertEquals(warningsOf(judge, leaf), []);
    assertEquals(outcome(judge, leaf, daysFromNow(-3)), "notYetValid");
  },
);

certificateTest("grace: what expired before any clock can stand is expired", async (root) => {
  const ancient = derOf(
    await root.issue({
      notBefore: new Date("2020-01-01T00:00:00Z"),
      notAfter: new Date("2024-12-31T00:00:00Z"),
    }),
  );
  const judge = judgeOf({ authorities: [root], policy: { certificateClock: "grace" } });
  // At this moment the certificate looks valid by the clock; the clock cannot be right.
  assertEquals(outcome(judge, ancient, new Date("2023-01-01T00:00:00Z")), "expired");
});

certificateTest("usage: clientAuth or none said, and a key that may sign", async (root) => {
  const judge = judgeOf({ authorities: [root] });
  for (
    const [extensions, expected] of [
      [["extendedKeyUsage=serverAuth"], "usage"],
      [["extendedKeyUsage=serverAuth,clientAuth"], "accepted client"],
      [["extendedKeyUsage=anyExtendedKeyUsage"], "accepted client"],
      [["basicConstraints=CA:FALSE"], "accepted client"],
      [["keyUsage=critical,keyEncipherment"], "usage"],
      [["keyUsage=critical,digitalSignature"], "accepted client"],
      [["1.2.3.4=critical,ASN1:NULL"], "usage"],
      [["1.2.3.4=ASN1:NULL"], "accepted client"],
    ] as const
  ) {
    assertEquals(outcome(judge, derOf(await root.issue({ extensions }))), expected, extensions[0]);
  }
});

certificateTest("only a CA issues, and only as deep as it may", async (root) => {
  const judge = judgeOf({ authorities: [root] });
  const middle = await root.subordinate(`middle-${created}`);
  assertEquals(outcome(judge, derOf(await middle.issue(), middle)), "accepted client");
  assertEquals(outcome(judge, derOf(await middle.issue())), "untrusted");
  const noCa = await root.subordinate(`no-ca-${created}`, { extensions: CLIENT_EXTENSIONS });
  assertEquals(outcome(judge, derOf(await noCa.issue(), noCa)), "usage");
  const noSign = await root.subordinate(`no-sign-${created}`, {
    extensions: ["basicConstraints=CA:TRUE", "keyUsage=digitalSignature", CA_EXTENSIONS[2]!],
  });
  assertEquals(outcome(judge, derOf(await noSign.issue(), noSign)), "usage");
  const last = await root.subordinate(`last-${created}`, {
    extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", ...CA_EXTENSIONS.slice(1)],
  });
  assertEquals(outcome(judge, derOf(await last.issue(), last)), "accepted client");
  const below = await last.subordinate(`below-${created}`);
  assertEquals(outcome(judge, derOf(await below.issue(), below, last)), "usage");
  const limited = await root.subordinate(`limited-${created}`, {
    extensions: [...CA_EXTENSIONS, "nameConstraints=permitted;DNS:example.org"],
  });
  assertEquals(outcome(judge, derOf(await limited.issue(), limited)), "usage");
});

certificateTest("an intermediate CA in the bundle is trusted without its root", async (root) => {
  const middle = await root.subordinate(`middle-${created}`);
  const leaf = await middle.issue();
  const judge = judgeOf({ authorities: [middle] });
  assertEquals(outcome(judge, derOf(leaf)), "accepted client");
  assertEquals(outcome(judge, derOf(await root.issue())), "untrusted");
});

certificateTest(
  "a CA that was renewed with its key is found beside the expired one",
  async (root) => {
    const subject = `/O=RelayQ tests/CN=renewed-${created}`;
    const fresh = await root.subordinate(`renewed-${created}`);
    const expired = await root.issue({
      subject,
      extensions: CA_EXTENSIONS,
      keyFile: fresh.keyFile,
      notBefore: daysFromNow(-20),
      notAfter: daysFromNow(-1),
    });
    const leaf = derOf(await fresh.issue());
    assertEquals(outcome(judgeOf({ authorities: [expired, fresh] }), leaf), "accepted client");
    assertEquals(outcome(judgeOf({ authorities: [expired] }), leaf), "expired");
  },
);

certificateTest(
  "X.509 version 1 is refused: its holder has proven nothing to Deno",
  async (root) => {
    const judge = judgeOf({ authorities: [root] });
    const verdict = judge.judge(derOf(await root.issue({ version1: true })), Date.now());
    assert(!verdict.accepted);
    assertEquals(verdict.cause, "malformed");
    assertStringIncludes(verdict.reason, "version 1");
  },
);

certificateTest("RSA, P-384 and Ed25519 keys are verified, SHA-1 is not", async (root) => {
  const judge = judgeOf({ authorities: [root] });
  const keys = [
    ["-newkey", "rsa:2048"],
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ["-newkey", "ed25519"],
  ];
  for (const newKey of keys) {
    const middle = await root.subordinate(`${newKey[1]}-${created}`.replace(":", ""), { newKey });
    assertEquals(outcome(judge, derOf(await middle.issue(), middle)), "accepted client", newKey[1]);
  }
  const base = `${root.directory}/sha1`;
  await openssl(["req", "-new", "-key", root.keyFile, "-subj", "/CN=old", "-out", `${base}.csr`]);
  await Deno.writeTextFile(`${base}.ext`, "basicConstraints=CA:FALSE");
  await openssl(
    ["x509", "-req", "-sha1", "-in", `${base}.csr`, "-CA", root.certificateFile, "-CAkey"]
      .concat([
        root.keyFile,
        "-set_serial",
        "77",
        "-out",
        `${base}.pem`,
        "-extfile",
        `${base}.ext`,
      ]),
  );
  const old = derOf({ certificateFile: `${base}.pem`, keyFile: root.keyFile });
  assertEquals(outcome(judge, old), "untrusted");
});

certificateTest("pins: of the certificate or of its key, besides everything else", async (root) => {
  const files = await root.issue();
  const [der] = derOf(files);
  const { spki } = parsed(der!);
  const ofCertificate = `sha256/${CRYPTO.sha256(der!).toHex()}`;
  const ofKey = `sha256/${CRYPTO.sha256(spki).toBase64()}`;
  for (const pin of [ofCertificate, ofKey, ofKey.replace("=", "")]) {
    const judge = judgeOf({ authorities: [root], pins: [pin] });
    assertEquals(outcome(judge, [der!]), "accepted client", pin);
    assertEquals(outcome(judge, derOf(await root.issue())), "unpinned", pin);
  }
  const stranger = await TestAuthority.root(DIRECTORY, `stranger-${created}`);
  const judge = judgeOf({ authorities: [stranger], pins: [ofCertificate] });
  assertEquals(outcome(judge, [der!]), "untrusted");
});

certificateTest(
  "identities: CN, each kind of SAN, fingerprint; never an ambiguous one",
  async (root) => {
    const files = await root.issue({
      subject: "/O=Plant/CN=pump 7",
      extensions: ["subjectAltName=DNS:pump.example,URI:urn:pump:7,email:pump@example.org"],
    });
    const presented = derOf(files);
    const expected = {
      cn: "accepted pump 7",
      san_dns: "accepted pump.example",
      san_uri: "accepted urn:pump:7",
      san_email: "accepted pump@example.org",
      fingerprint: `accepted ${CRYPTO.sha256(presented[0]!).toHex()}`,
    };
    const authorities = [root];
    for (const identityFrom of ["cn", "san_dns", "san_uri", "san_email", "fingerprint"] as const) {
      const judge = judgeOf({ authorities, policy: { identityFrom } });
      assertEquals(outcome(judge, presented), expected[identityFrom]);
    }
    const two = derOf(
      await root.issue({ extensions: ["subjectAltName=DNS:a.example,DNS:b.example"] }),
    );
    const byDns = judgeOf({ authorities, policy: { identityFrom: "san_dns" } });
    assertEquals(outcome(byDns, two), "noIdentity");
    assertEquals(outcome(byDns, derOf(await root.issue())), "noIdentity");
    const byName = judgeOf({ authorities });
    assertEquals(outcome(byName, derOf(await root.issue({ subject: "/CN=a/CN=b" }))), "noIdentity");
    assertEquals(outcome(byName, derOf(await root.issue({ subject: "/O=nobody" }))), "noIdentity");
    const evil = derOf(await root.issue({ subject: "/CN=admin\nconnected" }));
    assertEquals(outcome(byName, evil), "noIdentity");
  },
);

certificateTest("other trust forgets every verdict", async (root) => {
  const stranger = await TestAuthority.root(DIRECTORY, `stranger-${created}`);
  const files = await root.issue();
  const judge = judgeOf({ authorities: [root] });
  assertEquals(outcome(judge, derOf(files)), "accepted client");
  judge.replace(trustOf({ authorities: [stranger] }));
  assertEquals(outcome(judge, derOf(files)), "untrusted");
  judge.replace(trustOf({ authorities: [root] }));
  assertEquals(outcome(judge, derOf(files)), "accepted client");
  await root.revoke(files);
  judge.replace(trustOf({ authorities: [root], crlFiles: [await root.crl()] }));
  assertEquals(outcome(judge, derOf(files)), "revoked");
});

certificateTest("what a hostile client sends along costs bounded time", async (root) => {
  // Ten authorities that have all signed one another by name: more paths than anybody can look at.
  const tangle: Uint8Array[] = [];
  for (let i = 0; i < 10; i++) {
    const extensions = ["basicConstraints=CA:TRUE", ...NO_KEY_IDS];
    const self = { subject: "/CN=tangle", extensions };
    const fake = await TestAuthority.root(root.directory, `tangle-${i}`);
    const below = await fake.subordinate("tangle", self);
    tangle.push(...derOf(await below.issue({ ...self, newKey: ["-newkey", "ed25519"] })));
  }
  const stranger = await TestAuthority.root(DIRECTORY, `stranger-${created}`);
  const issuer = await stranger.subordinate("tangle", { subject: "/CN=tangle" });
  const leaf = await issuer.issue({ extensions: NO_KEY_IDS });
  const judge = judgeOf({ authorities: [root] });
  const startedMs = performance.now();
  assertEquals(outcome(judge, [...derOf(leaf), ...tangle]), "untrusted");
  // One millisecond where the search is bounded, several hundred where it is not.
  assert(performance.now() - startedMs < 100);
  assertEquals(outcome(judge, [...derOf(leaf), ...tangle, ...tangle]), "malformed");
  assertEquals(outcome(judge, [new Uint8Array(20_000)]), "malformed");
  assertEquals(outcome(judge, [new Uint8Array(0)]), "malformed");
});

certificateTest(
  "a certificate is recalled while its verdict holds, a refused one never",
  async (root) => {
    const [good, revoked] = [await root.issue({ notAfter: daysFromNow(3) }), await root.issue()];
    await root.revoke(revoked);
    const options = { authorities: [root], crlFiles: [await root.crl()] };
    const judge = judgeOf(options);
    const [der] = derOf(good);
    assertEquals(judge.recall(der!, Date.now()), null);
    judge.judge([der!], Date.now());
    assertEquals(judge.recall(der!, Date.now())?.certificate?.identity, "client");
    assertEquals(judge.recall(der!, daysFromNow(4).getTime()), null);
    judge.judge([der!], Date.now());
    judge.replace(trustOf(options));
    assertEquals(judge.recall(der!, Date.now()), null);
    const [bad] = derOf(revoked);
    assertEquals(outcome(judge, [bad!]), "revoked");
    assertEquals(judge.recall(bad!, Date.now()), null);
  },
);

certificateTest(
  "the first look at a certificate takes milliseconds, the next microseconds",
  async (root) => {
    const judge = judgeOf({ authorities: [root], crlFiles: [await root.crl()] });
    const leaf = derOf(await root.issue());
    judge.judge(leaf, Date.now() - DAY_MS / 2);
    const startedMs = performance.now();
    for (let i = 0; i < 1_000; i++) judge.judge(leaf, Date.now());
    assert(performance.now() - startedMs < 1_000);
  },
);
