/** Addresses, networks and lists of them. */
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  formatIpAddress,
  type IpAddress,
  IpRules,
  IpSet,
  ipVerdict,
  parseIpAddress,
  parseIpNetwork,
} from "../../src/security/mod.ts";
import { isIpv4, randomAddress, randomNetwork } from "./_random_addresses.ts";

function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  if ("problem" in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return parsed;
}

function network(text: string) {
  const parsed = parseIpNetwork(text);
  if ("problem" in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return parsed;
}

function rules(lists: { allow?: string[]; block?: string[] }): IpRules {
  const parsed = IpRules.parse({ allow: [], block: [], ...lists });
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

Deno.test("every spelling of an address is one value, and has one spelling", () => {
  const spellings: [string, string][] = [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["0:0:0:0:0:ffff:10.0.0.1", "10.0.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::10.0.0.1", "::a00:1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["fe80::1", "fe80::1"],
  ];
  for (const [written, canonical] of spellings) {
    assertEquals(formatIpAddress(address(written)), canonical, written);
  }
});

Deno.test("what is no address is refused with a reason and what was perhaps meant", () => {
  const refused: [string, string, string?][] = [
    ["", "is no IP address"],
    ["localhost", "is no IP address"],
    ["10.0.0", "is no IP address"],
    ["10.0.0.1.2", "is no IP address"],
    ["10.0.0.256", "256 is more than 255"],
    ["10.0.0.01", "leading zeros are ambiguous", "10.0.0.1"],
    ["10.0.0.-1", "is no IP address"],
    [" 10.0.0.1", "is no IP address"],
    ["0x0a.0.0.1", "is no IP address"],
    ["fe80::1%eth0", "a zone is not accepted", "fe80::1"],
    ["[::1]", "an address here has no brackets", "::1"],
    [":", "is no IPv6 address"],
    [":::", "is no IPv6 address"],
    ["1::2::3", "is no IPv6 address"],
    ["1:2:3:4:5:6:7", "is no IPv6 address"],
    ["1:2:3:4:5:6:7:8:9", "is no IPv6 address"],
    ["1:2:3:4:5:6:7::8", "is no IPv6 address"],
    ["12345::", "is no IPv6 address"],
    ["::g", "is no IPv6 address"],
    ["10.0.0.1::", "is no IPv6 address"],
    ["::10.0.0.1:1", "is no IPv6 address"],
    ["::" + "0".repeat(100_000), "is no IPv6 address"],
  ];
  for (const [written, problem, suggestion] of refused) {
    const expected = suggestion === undefined ? { problem } : { problem, suggestion };
    assertEquals(parseIpAddress(written) as unknown, expected, written.slice(0, 50));
  }
});

Deno.test("what is no network is refused with a reason and what was perhaps meant", () => {
  const refused: [string, string, string?][] = [
    ["10.0.0.0/", "the prefix must be a number from 0 to 32"],
    ["10.0.0.0/33", "the prefix must be a number from 0 to 32"],
    ["10.0.0.0/08", "the prefix must be a number from 0 to 32"],
    ["10.0.0.0/8/8", "the prefix must be a number from 0 to 32"],
    ["::/129", "the prefix must be a number from 0 to 128"],
    ["10.0.0.1/8", "bits behind the first 8 are set", "10.0.0.0/8"],
    ["2001:db8::1/64", "bits behind the first 64 are set", "2001:db8::/64"],
    ["::ffff:10.0.0.1/104", "bits behind the first 104 are set", "10.0.0.0/8"],
    ["::ffff:0:0/90", "the network would be partly IPv4", "0.0.0.0/0"],
    ["fe80::%1/64", "a zone is not accepted", "fe80::/64"],
  ];
  for (const [written, problem, suggestion] of refused) {
    const expected = suggestion === undefined ? { problem } : { problem, suggestion };
    assertEquals(parseIpNetwork(written) as unknown, expected, written);
  }
});

Deno.test("a block wins, an empty allow list is all, and lists of listener and broker add up", () => {
  const listener = rules({ allow: ["10.0.0.0/8", "2001:db8::/32"], block: ["10.6.6.6"] });
  const everywhere = rules({ allow: ["10.0.0.0/9"], block: ["2001:db8:bad::/48"] });
  const verdicts: [string, string, string][] = [
    ["10.1.2.3", "allowed", "allowed"],
    ["::ffff:10.1.2.3", "allowed", "allowed"],
    ["10.6.6.6", "blocked", "blocked"],
    ["11.0.0.0", "not-allowed", "not-allowed"],
    ["10.200.0.1", "allowed", "not-allowed"],
    ["2001:db8::1", "allowed", "not-allowed"],
    ["2001:db8:bad::1", "allowed", "blocked"],
    ["::1", "not-allowed", "not-allowed"],
  ];
  for (const [text, alone, together] of verdicts) {
    assertEquals(listener.verdict(address(text)), alone, text);
    assertEquals(ipVerdict([listener, everywhere], address(text)), together, text);
    assertEquals(IpRules.OPEN.verdict(address(text)), "allowed");
  }
  assertEquals(ipVerdict([], address("::1")), "allowed");
});

Deno.test("all of IPv6 is nothing of IPv4, and the other way round", () => {
  assertEquals(rules({ block: ["::/0"] }).verdict(address("::ffff:10.0.0.1")), "allowed");
  assertEquals(rules({ block: ["::/0"] }).verdict(address("::fffe:ffff:ffff")), "blocked");
  assertEquals(rules({ block: ["0.0.0.0/0"] }).verdict(address("::1")), "allowed");
  assertEquals(rules({ block: ["0.0.0.0/0"] }).verdict(address("255.255.255.255")), "blocked");
});

Deno.test("everything that is wrong with the lists is told at once", () => {
  const parsed = IpRules.parse({
    allow: ["10.0.0.1", "nonsense"],
    block: ["::1/64", "1.2.3.4/99"],
  });
  assert("problems" in parsed);
  assertEquals(parsed.problems.map(({ list, index, text }) => [list, index, text]), [
    ["allow", 1, "nonsense"],
    ["block", 0, "::1/64"],
    ["block", 1, "1.2.3.4/99"],
  ]);
});

Deno.test("parsing and printing random addresses agrees with a model in BigInt", () => {
  const random = new Random(1);
  for (let round = 0; round < 5000; round++) {
    const { bits, text } = randomAddress(random);
    const parsed = address(text);
    const value = parsed.words.reduce((sum, word) => sum << 32n | BigInt(word), 0n);
    assertEquals(value, bits, text);
    assertEquals(parsed.version, isIpv4(bits) ? 4 : 6, text);
    const printed = formatIpAddress(parsed);
    assertEquals(address(printed), parsed, text);
    if (parsed.version === 6) {
      assertEquals(printed, new URL(`http://[${text}]`).hostname.slice(1, -1));
    }
  }
});

Deno.test("a set of random networks agrees with a scan of all of them", () => {
  const random = new Random(2);
  for (let round = 0; round < 600; round++) {
    const all = Array.from({ length: random.below(12) }, () => randomNetwork(random));
    const set = new IpSet(all.map(({ text }) => network(text)));
    assert(set.ranges <= all.length);
    for (let question = 0; question < 40; question++) {
      const edge = all.length > 0 && random.oneIn(2) ? random.pick(all) : null;
      const asked = edge === null ? randomAddress(random) : near(edge, random);
      const expected = all.some(({ first, last }) =>
        first <= asked.bits && asked.bits <= last && isIpv4(first) === isIpv4(asked.bits)
      );
      assertEquals(
        set.has(address(asked.text)),
        expected,
        `${asked.text} in ${all.map((n) => n.text)}`,
      );
    }
  }
});

/** An address at an end of a network, or beside it. */
function near(
  { first, last }: { first: bigint; last: bigint },
  random: Random,
): { bits: bigint; text: string } {
  const all = (1n << 128n) - 1n;
  const bits = random.pick([first, last, first - 1n, last + 1n]) & all;
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bits >> BigInt(112 - 16 * i) & 0xffffn).toString(16),
  );
  return { bits, text: groups.join(":") };
}

Deno.test("10,000 networks are compiled in little time and asked in less", () => {
  const random = new Random(3);
  const networks = Array.from({ length: 10_000 }, () => {
    const octets = [1 + random.below(223), random.below(256), random.below(256)];
    return network(`${octets.join(".")}.0/24`);
  });
  const startedMs = performance.now();
  const set = new IpSet(networks);
  assert(performance.now() - startedMs < 1000);
  let found = 0;
  for (const { first } of networks) if (set.has(first)) found++;
  assertEquals(found, 10_000);
  assert(!set.has(address("250.0.0.1")));
});
