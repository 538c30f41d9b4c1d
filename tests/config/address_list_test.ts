/** Lists of addresses: mistakes are told where they stand, and are the same ones the broker finds. */
import { assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { loadConfig } from "../../src/config/mod.ts";
import { parseIpNetwork } from "../../src/security/mod.ts";
import { randomAddress, randomNetwork } from "../security/_random_addresses.ts";
import { accepted, summarize } from "./_loading.ts";

Deno.test("lists of addresses have any blanks between, and may be empty", () => {
  for (
    const list of ["", "  ", "10.0.0.1", " 10.0.0.0/8\t2001:db8::/32  ::1 ", "::ffff:10.0.0.1"]
  ) {
    assertEquals(accepted(`ip.block = ${JSON.stringify(list)}`).ip.block, list);
  }
});

Deno.test("the first entry that is no address or network is told with its place", () => {
  const cases = {
    "10.0.0.1 nonsense": '"nonsense" is no IP address or network',
    "10.0.0.1,10.0.0.2": '"10.0.0.1,10.0.0.2" is no IP address or network',
    "10.0.0": '"10.0.0" is no IP address or network',
    "010.0.0.1": '"010.0.0.1" is no IP address or network',
    "fe80::1%eth0": '"fe80::1%eth0" is no IP address or network',
    "10.0.0.0/33": '"10.0.0.0/33" must have a prefix from 0 to 32',
    "::/129": '"::/129" must have a prefix from 0 to 128',
    "10.0.0.0/": '"10.0.0.0/" must have a prefix from 0 to 32',
    "10.0.0.1/8": '"10.0.0.1/8" has bits set behind the first 8',
    "2001:db8::1/32": '"2001:db8::1/32" has bits set behind the first 32',
    "::ffff:0.0.0.0/95": '"::ffff:0.0.0.0/95" would be partly IPv4',
  };
  for (const [list, message] of Object.entries(cases)) {
    for (
      const path of ["ip.allow", "ip.block", "connection_rate.exempt", "login_guard.exempt"]
    ) {
      const text = `\n${path} = "${list}"`;
      assertEquals(summarize(text), [`2:${path.length + 4} ${path}: ${message}`]);
    }
    for (const key of ["ip_allow", "ip_block"]) {
      const text = `[[listeners]]\n${key} = "${list}"`;
      assertEquals(summarize(text), [`2:${key.length + 4} listeners.${key}: ${message}`]);
    }
  }
});

Deno.test("what the configuration accepts the broker can use, and the other way round", () => {
  const random = new Random(11);
  let good = 0;
  for (let round = 0; round < 20_000; round++) {
    let entry = (random.oneIn(2) ? randomNetwork(random) : randomAddress(random)).text;
    if (random.oneIn(2)) entry += `/${random.below(140)}`;
    while (random.oneIn(2)) {
      const at = random.below(entry.length + 1);
      const inserted = random.oneIn(2) ? "" : "0123456789abcdef:./%["[random.below(21)]!;
      entry = entry.slice(0, at) + inserted + entry.slice(at + random.below(2));
    }
    if (/\s/.test(entry) || entry === "") continue;
    const usable = !("problem" in parseIpNetwork(entry));
    assertEquals(loadConfig(`ip.allow = ${JSON.stringify(entry)}`).ok, usable, entry);
    if (usable) good++;
  }
  assertEquals(good > 2_000 && good < 18_000, true, `${good}`);
});
