/** Networks in CIDR notation, and sets of them that are quick to ask. */
import {
  compareIpAddresses,
  formatIpAddress,
  type IpAddress,
  type IpProblem,
  maskIpAddress,
  parseIpAddress,
} from "./ip_address.ts";

/** All addresses from `first` to `last`; both have the same version. */
export interface IpNetwork {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/** Bits in front of the 32 of an IPv4 address. */
const IPV4_OFFSET = 96;

/**
 * Reads one address or a network: "10.0.0.1", "10.0.0.0/8", "2001:db8::/32". A network of IPv4-mapped
 * addresses ("::ffff:10.0.0.0/104") is the IPv4 network; "::/0" is all of IPv6 and nothing of IPv4.
 * Bits behind the prefix must be zero: who wrote "10.0.0.1/8" perhaps meant one address.
 */
export function parseIpNetwork(text: string): IpNetwork | IpProblem {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(written);
  if ("problem" in address) {
    const { problem, suggestion } = address;
    if (suggestion === undefined || slash < 0) return address;
    return { problem, suggestion: suggestion + text.slice(slash) };
  }
  if (slash < 0) return { first: address, last: address };
  // Counted as it was written: 104 behind "::ffff:10.0.0.0".
  const bits = written.includes(":") ? 128 : 32;
  const digits = text.slice(slash + 1);
  const prefix = Number(digits);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits) || prefix > bits) {
    return { problem: `the prefix must be a number from 0 to ${bits}` };
  }
  const kept = bits === 32 ? prefix + IPV4_OFFSET : prefix;
  if (address.version === 4 && kept < IPV4_OFFSET) {
    return { problem: "the network would be partly IPv4", suggestion: "0.0.0.0/0" };
  }
  const first = maskIpAddress(address, { prefix: kept, fill: 0 });
  if (compareIpAddresses(first, address) !== 0) {
    const shown = address.version === 4 ? kept - IPV4_OFFSET : kept;
    return {
      problem: `bits behind the first ${prefix} are set`,
      suggestion: `${formatIpAddress(first)}/${shown}`,
    };
  }
  return { first, last: maskIpAddress(address, { prefix: kept, fill: 1 }) };
}

/** A set of networks: sorted ranges that do not touch, found by bisection. */
export class IpSet {
  /** Pairs of first and last address, one word for IPv4. */
  readonly #ipv4: Uint32Array;
  /** Pairs of first and last address, four words each. */
  readonly #ipv6: Uint32Array;

  constructor(networks: readonly IpNetwork[]) {
    this.#ipv4 = flatten(networks.filter(({ first }) => first.version === 4), 3);
    this.#ipv6 = flatten(networks.filter(({ first }) => first.version === 6), 0);
  }

  /** Whether nothing is in it. */
  get empty(): boolean {
    return this.#ipv4.length === 0 && this.#ipv6.length === 0;
  }

  /** Ranges left after those that touch or overlap have become one. */
  get ranges(): number {
    return this.#ipv4.length / 2 + this.#ipv6.length / 8;
  }

  /** Whether the address is in one of the networks. */
  has({ version, words }: IpAddress): boolean {
    return version === 4 ? this.#hasIpv4(words[3]) : this.#hasIpv6(words);
  }

  #hasIpv4(bits: number): boolean {
    const ranges = this.#ipv4;
    let low = 0;
    let high = ranges.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bits < ranges[middle * 2]!) high = middle;
      else if (bits > ranges[middle * 2 + 1]!) low = middle + 1;
      else return true;
    }
    return false;
  }

  #hasIpv6(words: IpAddress["words"]): boolean {
    const ranges = this.#ipv6;
    let low = 0;
    let high = ranges.length / 8;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareWords(words, ranges, middle * 8) < 0) high = middle;
      else if (compareWords(words, ranges, middle * 8 + 4) > 0) low = middle + 1;
      else return true;
    }
    return false;
  }
}

function compareWords(words: IpAddress["words"], ranges: Uint32Array, at: number): number {
  for (let i = 0; i < 4; i++) {
    const difference = words[i]! - ranges[at + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Sorts, joins ranges that overlap, and writes the words from `from` on of every end. */
function flatten(networks: readonly IpNetwork[], from: number): Uint32Array {
  const sorted = networks.toSorted((a, b) => compareIpAddresses(a.first, b.first));
  const joined: { first: IpAddress; last: IpAddress }[] = [];
  for (const { first, last } of sorted) {
    const before = joined.at(-1);
    if (before === undefined || compareIpAddresses(first, before.last) > 0) {
      joined.push({ first, last });
    } else if (compareIpAddresses(last, before.last) > 0) before.last = last;
  }
  return Uint32Array.from(
    joined.flatMap(({ first, last }) => [...first.words.slice(from), ...last.words.slice(from)]),
  );
}
