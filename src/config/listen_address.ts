import { ipv4Octets, ipv6Groups } from "./_ip_text.ts";

/** Where to listen: what `Deno.listen` takes. */
export interface ListenAddress {
  /** IPv4 address, IPv6 address without brackets, or "localhost". */
  readonly host: string;
  /** TCP port, 0 to 65535; at 0 the system chooses. */
  readonly port: number;
}

/** Why a text is no listen address, and what was perhaps meant. */
export interface ListenAddressProblem {
  readonly problem: string;
  readonly suggestion?: string;
}

/**
 * Reads "host:port": "127.0.0.1:1883", "[::1]:1883", "localhost:0". A host is an IP address or
 * "localhost", because a name that must first be looked up could come to mean another address.
 */
export function parseListenAddress(text: string): ListenAddress | ListenAddressProblem {
  const parts = /^(?:\[(?<bracketed>[^\]]*)\]|(?<plain>[^:[\]]*)):(?<port>[^:[\]]*)$/.exec(text);
  if (parts?.groups === undefined) return shapeProblem(text);
  const { bracketed, plain, port: portText = "" } = parts.groups;
  const port = Number(portText);
  if (!/^(0|[1-9][0-9]{0,4})$/.test(portText) || port > 65_535) {
    return { problem: "the port must be a number from 0 to 65535" };
  }
  if (bracketed !== undefined) {
    if (ipv6Groups(bracketed) !== undefined) return { host: bracketed, port };
    return { problem: "what stands in brackets must be an IPv6 address" };
  }
  const host = plain ?? "";
  if (host === "localhost" || ipv4Octets(host) !== undefined) return { host, port };
  if (host === "" || host === "*") {
    return { problem: "the host is missing", suggestion: `0.0.0.0:${port}` };
  }
  return { problem: 'the host must be an IP address or "localhost"' };
}

/**
 * True if only this machine can reach `host`: 127.0.0.0/8, ::1 in every spelling, IPv4 loopback mapped
 * into IPv6, and the name "localhost".
 */
export function isLoopbackHost(host: string): boolean {
  if (host === "localhost") return true;
  const octets = ipv4Octets(host);
  if (octets !== undefined) return octets[0] === 127;
  const groups = ipv6Groups(host);
  if (groups === undefined) return false;
  const [last = 0, beforeLast = 0] = groups.toReversed();
  if (groups.slice(0, 5).some((group) => group !== 0)) return false;
  if (groups[5] === 0xffff) return beforeLast >> 8 === 127;
  return groups[5] === 0 && beforeLast === 0 && last === 1;
}

/** One spelling for all spellings of the same address and port, to compare by. */
export function canonicalListenAddress({ host, port }: ListenAddress): string {
  const groups = ipv6Groups(host);
  if (groups === undefined) return `${host}:${port}`;
  return `[${groups.map((group) => group.toString(16)).join(":")}]:${port}`;
}

function shapeProblem(text: string): ListenAddressProblem {
  const problem = 'must be "host:port", an IPv6 host in brackets';
  if (ipv6Groups(text) !== undefined) return { problem, suggestion: `[${text}]:1883` };
  const bare = /^(.*):([0-9]+)$/.exec(text);
  if (bare?.[1] !== undefined && ipv6Groups(bare[1]) !== undefined) {
    return { problem, suggestion: `[${bare[1]}]:${bare[2]}` };
  }
  if (text === "localhost" || ipv4Octets(text) !== undefined) {
    return { problem, suggestion: `${text}:1883` };
  }
  if (/^[0-9]{1,5}$/.test(text)) return { problem, suggestion: `127.0.0.1:${text}` };
  return { problem };
}
