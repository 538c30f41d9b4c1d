/**
 * The PROXY protocol, versions 1 and 2: the header by which a load balancer tells who its peer is.
 * Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 *
 * The header can say anything, so it is only taken from trusted addresses; and where it is expected
 * it must come: a listener that takes connections with and without it can be told lies by both.
 */
import { type IpAddress, ipv4Address, ipv6Address, parseIpAddress } from "./ip_address.ts";
import { headerChecksum } from "./_crc32c.ts";

/** The peer of the proxy. */
export interface ProxySource {
  readonly address: IpAddress;
  readonly port: number;
}

/** What the bytes up to now say. The answer to more bytes is never another once it is not more. */
export type ProxyReading =
  | { readonly status: "incomplete" }
  | { readonly status: "error"; readonly problem: string }
  | {
    readonly status: "header";
    /** Bytes of the header; what follows is the client's. */
    readonly length: number;
    /**
     * Null where the proxy names nobody: for its own health checks, and for peers that have no IP
     * address. The connection is then the proxy's own.
     */
    readonly source: ProxySource | null;
  };

/** Longest header of version 1, its line end included. */
export const PROXY_V1_BYTES_MAX = 107;
/** Longest header of version 2 that is accepted; most of it may be TLVs, which are skipped. */
export const PROXY_V2_BYTES_MAX = 2048;

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const V2_PREFIX_BYTES = 16;
const V1_PREFIX = [...new TextEncoder().encode("PROXY ")];
const CRC32C_TYPE = 0x03;
const INCOMPLETE: ProxyReading = { status: "incomplete" };

/** Address bytes by family and transport of version 2; what is not here is an error. */
const FAMILIES: ReadonlyMap<number, { readonly bytes: number; readonly kind: "none" | 4 | 6 }> =
  new Map([
    [0x00, { bytes: 0, kind: "none" }], // UNSPEC
    [0x11, { bytes: 12, kind: 4 }], // TCP over IPv4
    [0x21, { bytes: 36, kind: 6 }], // TCP over IPv6
    [0x31, { bytes: 216, kind: "none" }], // UNIX stream
  ]);

/** Which versions of the header are taken. */
export type ProxyVersions = "v1" | "v2" | "any";

/** Reads the header at the start of `bytes`, which are all bytes that have come up to now. */
export function readProxyHeader(bytes: Uint8Array, versions: ProxyVersions = "any"): ProxyReading {
  if (bytes.length === 0) return INCOMPLETE;
  const isV1 = bytes[0] === V1_PREFIX[0];
  if (!isV1 && bytes[0] !== SIGNATURE[0]) return failure("no PROXY header");
  const reading = isV1 ? readV1(bytes) : readV2(bytes);
  if (reading.status === "error" || versions === "any") return reading;
  const version = isV1 ? "v1" : "v2";
  return version === versions ? reading : failure(`version ${version.slice(1)}: not accepted here`);
}

function failure(problem: string): ProxyReading {
  return { status: "error", problem };
}

/** Whether the bytes, as far as there are any, begin with these. */
function startsLike(bytes: Uint8Array, expected: readonly number[]): boolean {
  return expected.every((byte, index) => index >= bytes.length || bytes[index] === byte);
}

function readV1(bytes: Uint8Array): ProxyReading {
  if (!startsLike(bytes, V1_PREFIX)) return failure("no PROXY header");
  const limit = Math.min(bytes.length, PROXY_V1_BYTES_MAX);
  let end = 0;
  while (end < limit && bytes[end] !== 0x0a) {
    const byte = bytes[end]!;
    // A line is printable ASCII; what is not is refused at once. CR is judged when LF is there.
    if (byte !== 0x0d && (byte < 0x20 || byte > 0x7e)) return failure("version 1: not ASCII");
    end++;
  }
  if (end === limit) {
    return limit < PROXY_V1_BYTES_MAX ? INCOMPLETE : failure("version 1: no end of the line");
  }
  const line = String.fromCharCode(...bytes.subarray(0, end));
  if (!line.endsWith("\r") || line.indexOf("\r") < line.length - 1) {
    return failure("version 1: the line does not end in CR LF");
  }
  const source = v1Source(line.slice(V1_PREFIX.length, -1));
  if (typeof source === "string") return failure(`version 1: ${source}`);
  return { status: "header", length: end + 1, source };
}

/** The peer named by what stands behind "PROXY ", or what is wrong with it. */
function v1Source(text: string): ProxySource | null | string {
  // What follows UNKNOWN is to be ignored.
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN ")) return null;
  const words = text.split(" ");
  const [family, sourceText = "", targetText = "", sourcePort = "", targetPort = ""] = words;
  if (family !== "TCP4" && family !== "TCP6") return "unknown protocol";
  if (words.length !== 5) return "not five fields";
  const source = v1Address(sourceText, family);
  if (source === null || v1Address(targetText, family) === null) return "bad address";
  const port = v1Port(sourcePort);
  if (port === null || v1Port(targetPort) === null) return "bad port";
  return { address: source, port };
}

function v1Address(text: string, family: "TCP4" | "TCP6"): IpAddress | null {
  if (text.includes(":") !== (family === "TCP6")) return null;
  const address = parseIpAddress(text);
  return "problem" in address ? null : address;
}

function v1Port(text: string): number | null {
  const port = Number(text);
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && port <= 65_535 ? port : null;
}

function readV2(bytes: Uint8Array): ProxyReading {
  if (!startsLike(bytes, SIGNATURE)) return failure("no PROXY header");
  const command = bytes[12];
  if (command === undefined) return INCOMPLETE;
  if (command >> 4 !== 2) return failure("version 2: unknown version");
  if ((command & 15) > 1) return failure("version 2: unknown command");
  const local = (command & 15) === 0;
  const familyByte = bytes[13];
  if (familyByte === undefined) return INCOMPLETE;
  const family = FAMILIES.get(familyByte);
  // Of LOCAL nothing but the length matters.
  if (!local && family === undefined) return failure("version 2: unknown family or transport");
  if (bytes.length < V2_PREFIX_BYTES) return INCOMPLETE;
  const length = V2_PREFIX_BYTES + bytes[14]! * 256 + bytes[15]!;
  if (length > PROXY_V2_BYTES_MAX) return failure("version 2: header too long");
  const addressBytes = local || family === undefined ? 0 : family.bytes;
  const tlvStart = V2_PREFIX_BYTES + addressBytes;
  if (length < tlvStart) return failure("version 2: addresses are cut off");
  if (bytes.length < length) return INCOMPLETE;
  const header = bytes.subarray(0, length);
  if (local) return { status: "header", length, source: null };
  // Of UNSPEC nothing but the length matters either: what follows need not be TLVs.
  const problem = familyByte === 0 ? null : tlvProblem(header, tlvStart);
  if (problem !== null) return failure(`version 2: ${problem}`);
  return { status: "header", length, source: v2Source(header, family!.kind) };
}

function v2Source(header: Uint8Array, kind: "none" | 4 | 6): ProxySource | null {
  if (kind === "none") return null;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const at = V2_PREFIX_BYTES;
  if (kind === 4) {
    return { address: ipv4Address(view.getUint32(at)), port: view.getUint16(at + 8) };
  }
  const words = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset));
  const address = ipv6Address(words as [number, number, number, number]);
  return { address, port: view.getUint16(at + 32) };
}

/** Walks through the TLVs: all are skipped, but a checksum is checked. */
function tlvProblem(header: Uint8Array, start: number): string | null {
  let at = start;
  while (at < header.length) {
    if (header.length - at < 3) return "a TLV is cut off";
    const length = header[at + 1]! * 256 + header[at + 2]!;
    const value = at + 3;
    if (header.length - value < length) return "a TLV is cut off";
    if (header[at] === CRC32C_TYPE) {
      if (length !== 4) return "checksum of wrong length";
      const view = new DataView(header.buffer, header.byteOffset, header.length);
      if (view.getUint32(value) !== headerChecksum(header, value)) return "checksum is wrong";
    }
    at = value + length;
  }
  return null;
}
