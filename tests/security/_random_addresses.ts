/** Random addresses and networks, in random spellings, beside a model that counts in BigInt. */
import type { Random } from "../../fuzz/random.ts";

/** An address as a number of 128 bits; IPv4 stands in ::ffff:0:0/96. */
export interface ModelAddress {
  readonly bits: bigint;
  readonly text: string;
}

const MAPPED = 0xffffn << 32n;

/** An address in one of its spellings; few distinct bits, so that addresses meet networks. */
export function randomAddress(random: Random): ModelAddress {
  if (random.oneIn(2)) {
    const octets = Array.from({ length: 4 }, () => random.pick([0, 1, 10, 127, 128, 192, 255]));
    const bits = octets.reduce((sum, octet) => sum << 8n | BigInt(octet), 0n) | MAPPED;
    const dotted = octets.join(".");
    return { bits, text: random.oneIn(3) ? `::ffff:${dotted}` : dotted };
  }
  const groups = Array.from({ length: 8 }, () => random.pick([0, 0, 0, 1, 0xfe80, 0x2001, 0xffff]));
  const bits = groups.reduce((sum, group) => sum << 16n | BigInt(group), 0n);
  return { bits, text: spell(groups, random) };
}

/** Whether the number stands for an IPv4 address. */
export function isIpv4(bits: bigint): boolean {
  return bits >> 32n === 0xffffn;
}

/** A network around an address, as first and last number, with its spelling. */
export function randomNetwork(
  random: Random,
): { readonly first: bigint; readonly last: bigint; readonly text: string } {
  const { bits, text } = randomAddress(random);
  const ipv4 = isIpv4(bits);
  const least = ipv4 ? 96 : 0;
  const prefix = least + random.below(128 - least + 1);
  const rest = (1n << BigInt(128 - prefix)) - 1n;
  const first = bits & ~rest;
  if (prefix === 128 && random.oneIn(2)) return { first, last: first, text };
  const last = first | rest;
  const groups = Array.from(
    { length: 8 },
    (_, i) => Number(first >> BigInt(112 - 16 * i) & 0xffffn),
  );
  if (!ipv4) return { first, last, text: `${spell(groups, random)}/${prefix}` };
  const octets = [24n, 16n, 8n, 0n].map((shift) => Number(first >> shift & 0xffn)).join(".");
  return {
    first,
    last,
    text: random.oneIn(3) ? `::ffff:${octets}/${prefix}` : `${octets}/${prefix - 96}`,
  };
}

/** Writes groups with or without "::", leading zeros and capitals. */
function spell(groups: readonly number[], random: Random): string {
  const words = groups.map((group) => {
    const hex = group.toString(16);
    return random.oneIn(3) ? hex.toUpperCase().padStart(4, "0") : hex;
  });
  const start = groups.indexOf(0);
  if (start < 0 || random.oneIn(2)) return words.join(":");
  let end = start;
  while (groups[end] === 0) end++;
  return `${words.slice(0, start).join(":")}::${words.slice(end).join(":")}`;
}
