import { ipv4Octets, ipv6Groups } from "./_ip_text.ts";
import { quote } from "./_text.ts";

/**
 * What is wrong with the first bad entry of a list of addresses and networks with blanks between, or
 * `undefined`. It tells mistakes where they stand; what the list means is up to whoever uses it.
 */
export function addressListProblem(list: string): string | undefined {
  for (const entry of list.split(/\s+/)) {
    const problem = entry === "" ? undefined : entryProblem(entry);
    if (problem !== undefined) return `${quote(entry)} ${problem}`;
  }
  return undefined;
}

function entryProblem(entry: string): string | undefined {
  const slash = entry.indexOf("/");
  const address = slash < 0 ? entry : entry.slice(0, slash);
  const bytes = bytesOf(address);
  if (bytes === undefined) return "is no IP address or network";
  if (slash < 0) return undefined;
  const bits = bytes.length * 8;
  const digits = entry.slice(slash + 1);
  const prefix = Number(digits);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits) || prefix > bits) {
    return `must have a prefix from 0 to ${bits}`;
  }
  if (bits === 128 && prefix < 96 && isMapped(bytes)) return "would be partly IPv4";
  // Who wrote "10.0.0.1/8" perhaps meant one address.
  if (hasBitsBehind(bytes, prefix)) return `has bits set behind the first ${prefix}`;
  return undefined;
}

function bytesOf(address: string): number[] | undefined {
  if (!address.includes(":")) return ipv4Octets(address);
  return ipv6Groups(address)?.flatMap((group) => [group >> 8, group & 255]);
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
}

function hasBitsBehind(bytes: readonly number[], prefix: number): boolean {
  return bytes.some((byte, index) => {
    const kept = Math.min(Math.max(prefix - index * 8, 0), 8);
    return (byte & (255 >> kept)) !== 0;
  });
}
