/** The password file: what it accepts, what it refuses, what checking a password costs. */
import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { createHash, pbkdf2Sync } from "node:crypto";
import {
  formatPasswordHash,
  hashPassword,
  ITERATIONS_MAX,
  PasswordFile,
  type PasswordScheme,
  USERS_MAX,
  withoutUser,
  withUser,
  withUsers,
} from "../../src/security/mod.ts";

const SALT = new Uint8Array(12).fill(7);
const SALT_TEXT = SALT.toBase64();
const SHA256 = new Uint8Array(32).fill(1).toBase64();
const SHA512 = new Uint8Array(64).fill(1).toBase64();

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function parse(text: string): PasswordFile {
  const parsed = PasswordFile.parse(text);
  assert(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

/** A line as the specifications of each scheme make it, without our own code. */
function line(scheme: PasswordScheme, userName: string, password: string): string {
  const word = bytes(password);
  switch (scheme) {
    case "pbkdf2-sha256": {
      const hash = pbkdf2Sync(word, SALT, 1000, 32, "sha256").toString("base64");
      return `${userName}:$relayq$pbkdf2-sha256$1000$${SALT_TEXT}$${hash}`;
    }
    case "sha256": {
      const hash = createHash("sha256").update(SALT).update(word).digest("base64");
      return `${userName}:$relayq$sha256$${SALT_TEXT}$${hash}`;
    }
    case "pbkdf2-sha512": {
      const hash = pbkdf2Sync(word, SALT, 101, 64, "sha512").toString("base64");
      return `${userName}:$7$101$${SALT_TEXT}$${hash}`;
    }
    case "sha512": {
      const hash = createHash("sha512").update(word).update(SALT).digest("base64");
      return `${userName}:$6$${SALT_TEXT}$${hash}`;
    }
  }
}

const SCHEMES: readonly PasswordScheme[] = ["pbkdf2-sha256", "sha256", "pbkdf2-sha512", "sha512"];

for (const scheme of SCHEMES) {
  Deno.test(`a password file with ${scheme} knows right from wrong`, async () => {
    const file = parse(`# users\n\n${line(scheme, "älice", "s3crét")}\r\n`);
    assertEquals(file.size, 1);
    const answers: [string, Uint8Array | null, boolean][] = [
      ["älice", bytes("s3crét"), true],
      ["älice", bytes("s3crét "), false],
      ["älice", bytes(""), false],
      ["älice", null, false],
      ["bob", bytes("s3crét"), false],
      ["__proto__", bytes("s3crét"), false],
      ["", bytes("s3crét"), false],
    ];
    for (const [userName, password, right] of answers) {
      assertEquals(await file.verify(userName, password), right, `${userName} ${password}`);
    }
  });

  Deno.test(`hashPassword makes a line with ${scheme} that the password file takes`, async () => {
    const hash = await hashPassword(bytes("x"), { scheme, iterations: 1000 });
    const again = await hashPassword(bytes("x"), { scheme, iterations: 1000 });
    assertNotEquals(hash.salt, again.salt);
    const file = parse(`u:${formatPasswordHash(hash)}`);
    assert(await file.verify("u", bytes("x")));
    assert(!await file.verify("u", bytes("y")));
  });
}

Deno.test("no password is right for a user whose hash is of the empty password", async () => {
  const file = parse(line("sha512", "u", ""));
  assert(await file.verify("u", bytes("")));
  assert(!await file.verify("u", null));
});

Deno.test("a decoy never lets anybody in, even with the password of its owner", async () => {
  const file = parse(SCHEMES.map((scheme, i) => line(scheme, `u${i}`, "same")).join("\n"));
  for (let i = 0; i < 40; i++) assert(!await file.verify(`nobody${i}`, bytes("same")));
  assert(!await parse("").verify("nobody", bytes("same")));
});

Deno.test("every broken line is told by line and column, and refuses the whole file", () => {
  const good = line("sha512", "ok", "x");
  const cases: [string, number, string][] = [
    ["alice", 1, "there is no colon between user name and hash"],
    [":$6$x$y", 1, "the user name is empty"],
    [" bob:$6$x$y", 1, "the user name begins or ends with a blank"],
    ["b\u0007b:$6$x$y", 1, "the user name contains a control character"],
    ["bob:secret", 5, "this is no hash; `mosquitto_passwd -U` turns passwords into hashes"],
    ["bob:", 5, "this is no hash; `mosquitto_passwd -U` turns passwords into hashes"],
    [
      "bob:$argon2id$v=19$x",
      5,
      "the hash begins with none of $relayq$pbkdf2-sha256$, $relayq$sha256$, $7$, $6$",
    ],
    [`bob:$6$${SALT_TEXT}`, 8, "the hash has 1 fields, not 2"],
    [`bob:$6$${SALT_TEXT}$${SHA256}`, 25, "the hash is not base64 of 64 bytes"],
    [`bob:$6$${SALT_TEXT}$${SHA512} `, 25, "the hash is not base64 of 64 bytes"],
    [`bob:$6$$${SHA512}`, 8, "the salt is not base64 of 1 to 64 bytes"],
    [`bob:$6$!$${SHA512}`, 8, "the salt is not base64 of 1 to 64 bytes"],
    [
      `bob:$7$0$${SALT_TEXT}$${SHA512}`,
      8,
      `the iteration count is no whole number from 1 to ${ITERATIONS_MAX}`,
    ],
    [
      `bob:$relayq$pbkdf2-sha256$4000001$${SALT_TEXT}$${SHA256}`,
      27,
      `the iteration count is no whole number from 1 to ${ITERATIONS_MAX}`,
    ],
    [good, 1, "the user stands in line 2 already"],
  ];
  const text = ["# comment", good, ...cases.map(([broken]) => broken)].join("\n");
  const parsed = PasswordFile.parse(text);
  assert(!parsed.ok);
  assertEquals(
    parsed.diagnostics.map(({ line, column, message }) => [line, column, message]),
    cases.map(([, column, message], i) => [i + 3, column, message]),
  );
});

Deno.test("no mistake in a password file tells a secret of it", () => {
  const parsed = PasswordFile.parse(
    ["a:hunter2", "b:$9$hunter2", "c:$6$hunter2!$hunter2", "hunter2"].join("\n"),
  );
  assert(!parsed.ok);
  assertEquals(parsed.diagnostics.length, 4);
  assert(!JSON.stringify(parsed).includes("hunter2"));
});

Deno.test("a file of another kind is refused with a bounded number of mistakes", () => {
  const parsed = PasswordFile.parse("nonsense\n".repeat(5_000));
  assert(!parsed.ok);
  assertEquals(parsed.diagnostics.length, 101);
  assertEquals(parsed.diagnostics.at(-1)?.message, "and 4900 more mistakes from here on");
  assert(!PasswordFile.parse("x".repeat(20_000_000)).ok);
  const crowd = Array.from({ length: USERS_MAX + 2 }, (_, i) => `u${i}:$6$YQ==$${SHA512}`);
  assert(!PasswordFile.parse(crowd.join("\n")).ok);
  assert(PasswordFile.parse(crowd.slice(0, USERS_MAX).join("\n")).ok);
});

Deno.test("an edit of a password file leaves comments, order and line ends as they are", async () => {
  const hash = await hashPassword(bytes("new"), { scheme: "sha256" });
  const written = formatPasswordHash(hash);
  const [a, b] = [line("sha512", "a", "1"), line("sha512", "b", "2")];
  const edits: [string, string, string][] = [
    ["", "a", `a:${written}\n`],
    [`# x\n${a}\n\n# y\n${b}\n`, "a", `# x\na:${written}\n\n# y\n${b}\n`],
    [`${a}\n# y`, "c", `${a}\n# y\nc:${written}\n`],
    [`${a}\r\n${b}\r\n`, "b", `${a}\r\nb:${written}\r\n`],
    [`${a}\r\n`, "c", `${a}\r\nc:${written}\r\n`],
  ];
  for (const [before, userName, after] of edits) {
    assertEquals(withUser(before, { userName, hash }), after);
    assert(await parse(after).verify(userName, bytes("new")));
  }
  assertEquals(withoutUser(`# x\n${a}\n${b}\n`, "a"), `# x\n${b}\n`);
  assertEquals(withoutUser(`# x\n${a}\n${b}\n`, "x"), null);
  assertEquals(
    withUsers(`${a}\n`, new Map([["c", hash], ["a", hash]])),
    `a:${written}\nc:${written}\n`,
  );
});

Deno.test("an unknown user costs what known users cost", async () => {
  const lines = Array.from({ length: 8 }, async (_, i) => {
    const hash = await hashPassword(bytes("x"), { iterations: 60_000 });
    return `u${i}:${formatPasswordHash(hash)}`;
  });
  const file = parse((await Promise.all(lines)).join("\n"));
  // The quickest of each: what else the machine does can only make them slower, and for a while.
  let [known, unknown] = [Infinity, Infinity];
  function ratio(): number {
    return Math.max(known, unknown) / Math.min(known, unknown);
  }
  for (let i = 0; i < 8 || (ratio() >= 3 && i < 200); i++) {
    const [user, stranger] = [`u${i % 8}`, `v${i}`];
    known = Math.min(known, await milliseconds(() => file.verify(user, bytes("wrong"))));
    unknown = Math.min(unknown, await milliseconds(() => file.verify(stranger, bytes("wrong"))));
  }
  assertLess(ratio(), 3);
});

async function milliseconds(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}
