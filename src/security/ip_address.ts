/** IP addresses as numbers: every spelling of an address is one value. */

/**
 * An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 ("::ffff:10.0.0.1") is the IPv4
 * address: which one the system reports depends on the socket, not on the peer.
 */
export interface IpAddress {
  readonly version: 4 | 6;
  /** 128 bits, most significant first; those of an IPv4 address are 0, 0, 0xffff and its 32. */
  readonly words: readonly [number, number, number, number];
}

/** Why a text is no address, network or list of them, and what was perhaps meant. */
export interface IpProblem {
  readonly problem: string;
  readonly suggestion?: string;
}

/** Third word of an IPv4 address. */
const MAPPED = 0xffff;

/** The IPv4 address of these 32 bits. */
export function ipv4Address(bits: number): IpAddress {
  return { version: 4, words: [0, 0, MAPPED, bits >>> 0] };
}

/** The address of these 128 bits; that of an IPv4-mapped one is the IPv4 address. */
export function ipv6Address(words: readonly [number, number, number, number]): IpAddress {
  const [a, b, c, d] = words;
  if (a === 0 && b === 0 && c === MAPPED) return ipv4Address(d);
  return { version: 6, words: [a >>> 0, b >>> 0, c >>> 0, d >>> 0] };
}

/**
 * Reads an address: "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1". Octets have no leading zeros, for
 * some systems read those as octal. A zone ("%eth0") is refused: it names an interface of one
 * machine, not a peer.
 */
export function parseIpAddress(text: string): IpAddress | IpProblem {
  if (!text.includes(":")) {
    const bits = ipv4Bits(text);
    return bits === null ? ipv4Problem(text) : ipv4Address(bits);
  }
  if (text.includes("%")) {
    return { problem: "a zone is not accepted", suggestion: text.slice(0, text.indexOf("%")) };
  }
  if (/^\[.*\]$/.test(text)) {
    return { problem: "an address here has no brackets", suggestion: text.slice(1, -1) };
  }
  const groups = ipv6Groups(text);
  if (groups === null) return { problem: "is no IPv6 address" };
  return ipv6Address([
    groups[0]! * 65_536 + groups[1]!,
    groups[2]! * 65_536 + groups[3]!,
    groups[4]! * 65_536 + groups[5]!,
    groups[6]! * 65_536 + groups[7]!,
  ]);
}

/** The one spelling of an address, that of RFC 5952 for IPv6. */
export function formatIpAddress({ version, words }: IpAddress): string {
  if (version === 4) return formatIpv4(words[3]);
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** What counts as one origin: an IPv4 address, or an IPv6 network of 64 bits, of which anybody has 2^64. */
export function hostKey({ version, words }: IpAddress): number | string {
  return version === 4 ? words[3] : `${words[0]}:${words[1]}`;
}

/** Negative, 0 or positive, as `a` is below, the same as or above `b`. */
export function compareIpAddresses(a: IpAddress, b: IpAddress): number {
  if (a.version !== b.version) return a.version - b.version;
  for (let i = 0; i < 4; i++) {
    const difference = a.words[i]! - b.words[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The address with all bits behind the first `prefix` cleared, or set; `prefix` is of 128. */
export function maskIpAddress(
  address: IpAddress,
  { prefix, fill }: { prefix: number; fill: 0 | 1 },
): IpAddress {
  const [a, b, c, d] = address.words;
  return {
    version: address.version,
    words: [
      maskWord(a, prefix, fill),
      maskWord(b, prefix - 32, fill),
      maskWord(c, prefix - 64, fill),
      maskWord(d, prefix - 96, fill),
    ],
  };
}

function maskWord(word: number, keep: number, fill: 0 | 1): number {
  if (keep >= 32) return word;
  const low = keep <= 0 ? 0xffff_ffff : 0xffff_ffff >>> keep;
  return (fill === 1 ? word | low : word & ~low) >>> 0;
}

function formatIpv4(bits: number): string {
  return `${bits >>> 24}.${bits >>> 16 & 255}.${bits >>> 8 & 255}.${bits & 255}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

function ipv4Problem(text: string): IpProblem {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^[0-9]{1,10}$/.test(octet))) {
    return { problem: "is no IP address" };
  }
  const bad = octets.find((octet) => Number(octet) > 255);
  if (bad !== undefined) return { problem: `${bad} is more than 255` };
  return { problem: "leading zeros are ambiguous", suggestion: octets.map(Number).join(".") };
}

/** The 32 bits of a dotted address, or null. */
function ipv4Bits(text: string): number | null {
  const octets = text.split(".");
  if (octets.length !== 4) return null;
  let bits = 0;
  for (const octet of octets) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return null;
    bits = bits * 256 + Number(octet);
  }
  return bits;
}

/** The eight groups of 16 bits, or null. */
function ipv6Groups(text: string): number[] | null {
  // The longest has 45 characters; what is longer need not be taken apart.
  if (text.length > 45) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = "", tail] = halves;
  const before = groupsOf(head, { mayEndInIpv4: tail === undefined });
  const after = tail === undefined ? [] : groupsOf(tail, { mayEndInIpv4: true });
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function groupsOf(text: string, { mayEndInIpv4 }: { mayEndInIpv4: boolean }): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    const last = index === words.length - 1;
    const bits = mayEndInIpv4 && last && word.includes(".") ? ipv4Bits(word) : null;
    if (bits !== null) groups.push(Math.floor(bits / 65_536), bits & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(word)) groups.push(parseInt(word, 16));
    else return null;
  }
  return groups;
}
