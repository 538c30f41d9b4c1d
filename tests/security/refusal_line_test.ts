/** The line that fail2ban reads. */
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import {
  FAIL2BAN_FILTER,
  formatRefusal,
  type IpAddress,
  parseIpAddress,
  REFUSAL_REASONS,
} from "../../src/security/mod.ts";

/** What fail2ban (`fail2ban/server/failregex.py` and `ipdns.py`) puts in the place of `<ADDR>`. */
const ADDR = String
  .raw`\[?(?:(?:::f{4,6}:)?(?<ip4>(?:\d{1,3}\.){3}\d{1,3})|(?<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)))\]?`;

const TEMPLATE = /^failregex = (.*)$/m.exec(FAIL2BAN_FILTER)![1]!;
const FAILREGEX = new RegExp(TEMPLATE.replace("<ADDR>", ADDR), "m");
const GUESSING = [
  "bad-credentials",
  "certificate-refused",
  "identity-mismatch",
  "locked-out",
  "no-credentials",
];

function address(text: string): IpAddress {
  return parseIpAddress(text) as IpAddress;
}

/** What fail2ban sees: it takes the time out of the line first. */
function banned(text: string): string | null {
  const groups = FAILREGEX.exec(` warn  ${text}`)?.groups;
  return groups?.ip4 ?? groups?.ip6 ?? null;
}

Deno.test("fail2ban finds the address in every refusal that speaks of guessing, and in no other", () => {
  const spellings = [
    "10.0.0.1",
    "255.255.255.255",
    "::1",
    "2001:db8::1:0:0:1",
    "1:2:3:4:5:6:7:8",
    "fe80::",
  ];
  for (const written of spellings) {
    for (const reason of REFUSAL_REASONS) {
      const line = formatRefusal({ address: address(written), reason, listener: "0.0.0.0:8883" });
      assertEquals(banned(line), GUESSING.includes(reason) ? written : null, line);
    }
  }
  const mapped = address("::ffff:10.9.8.7");
  const line = formatRefusal({ address: mapped, reason: "locked-out", listener: "l" });
  assertEquals(banned(line), "10.9.8.7");
});

Deno.test("the line has a fixed form", () => {
  assertEquals(
    formatRefusal({
      address: address("203.0.113.7"),
      reason: "locked-out",
      listener: "0.0.0.0:8883",
      clientIdentifier: "press 4",
      userName: "line\n1",
      forMs: 59_001,
      suppressed: 7,
      detail: "why\n",
    }),
    "login refused: address=203.0.113.7 reason=locked-out for_s=60 suppressed=7 " +
      'listener=0.0.0.0:8883 client="press 4" user="line\\n1" detail="why\\n"',
  );
});

Deno.test("no Client Identifier or user name can have somebody else banned", () => {
  const forged =
    "\n2026-01-01T00:00:00.000Z warn  login refused: address=9.9.9.9 reason=locked-out ";
  for (
    const text of [forged, `"${forged}`, `\u2028${forged}`, `\u009b${forged}`, forged.repeat(50)]
  ) {
    const line = formatRefusal({
      address: address("10.0.0.1"),
      reason: "bad-credentials",
      listener: "l",
      clientIdentifier: text,
      userName: text,
      detail: text,
    });
    assertNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
    assertEquals(banned(line), "10.0.0.1");
    assert(line.length < 1000);
  }
});

Deno.test("the date pattern of the filter is that of the log", () => {
  const pattern = /^datepattern = (.*)$/m.exec(FAIL2BAN_FILTER)![1]!;
  const regex = pattern.replaceAll("%%Y", "\\d{4}").replaceAll("%%f", "\\d{1,6}")
    .replaceAll("%%z", "(?:Z|UTC|GMT|[+-][01]\\d(?::?\\d{2})?)").replace(/%%[mdHMS]/g, "\\d{2}");
  assert(new RegExp(regex).test(`${new Date(0).toISOString()} warn  login refused: `));
});

Deno.test("the README has the filter as it is", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assert(readme.includes(`\n\`\`\`\n${FAIL2BAN_FILTER}\`\`\`\n`));
});

Deno.test("with a reason added the filter finds its lines as well", () => {
  const all = REFUSAL_REASONS.join("|");
  const regex = new RegExp(
    TEMPLATE.replace("<ADDR>", ADDR).replace(/\(\?:bad-[^)]*\)/, `(?:${all})`),
  );
  for (const reason of REFUSAL_REASONS) {
    const line = formatRefusal({
      address: address("10.0.0.1"),
      reason,
      listener: "l",
      detail: "x",
    });
    assertEquals(regex.exec(` warn  ${line}`)?.groups?.ip4, "10.0.0.1", line);
  }
});
