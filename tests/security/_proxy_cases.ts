/** Named wire cases of the PROXY protocol; the tests and the fuzz target share them. */

/** Bytes, and what they are. */
export interface ProxyCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** "address:port" of the source, "none" for a header that names nobody, or the error. */
  readonly expected: string;
}

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const IPV4 = [203, 0, 113, 7, 10, 0, 0, 1, 0xd9, 0x03, 0x07, 0x5b];
const IPV6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0xd9, 0x03, 0x07, 0x5b],
];
const MAPPED = [...Array(10).fill(0), 0xff, 0xff, 203, 0, 113, 7, ...IPV6.slice(16)];

/** A header of version 2. */
export function v2(command: number, family: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...SIGNATURE,
    command,
    family,
    body.length >> 8,
    body.length & 255,
    ...body,
  ]);
}

function line(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Every case. */
export const PROXY_CASES: readonly ProxyCase[] = [
  ...[
    ["v1 TCP4", "PROXY TCP4 203.0.113.7 10.0.0.1 55555 1883\r\n", "203.0.113.7:55555"],
    ["v1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n", "2001:db8::1:0"],
    ["v1 TCP6 mapped", "PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "203.0.113.7:1"],
    ["v1 UNKNOWN", "PROXY UNKNOWN\r\n", "none"],
    ["v1 UNKNOWN with more", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "none"],
    ["v1 UNKNOWNS", "PROXY UNKNOWNS\r\n", "version 1: unknown protocol"],
    ["v1 lower case", "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "no PROXY header"],
    ["v1 other word", "PROXI TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "no PROXY header"],
    ["v1 UDP4", "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "version 1: unknown protocol"],
    ["v1 no protocol", "PROXY \r\n", "version 1: unknown protocol"],
    ["v1 two spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n", "version 1: not five fields"],
    ["v1 space at end", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "version 1: not five fields"],
    ["v1 field missing", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "version 1: not five fields"],
    ["v1 TCP4 with IPv6", "PROXY TCP4 ::1 ::1 1 1\r\n", "version 1: bad address"],
    ["v1 TCP6 with IPv4", "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "version 1: bad address"],
    ["v1 bad source", "PROXY TCP4 1.2.3.400 1.2.3.4 1 1\r\n", "version 1: bad address"],
    ["v1 bad target", "PROXY TCP4 1.2.3.4 1.2.3 1 1\r\n", "version 1: bad address"],
    ["v1 leading zeros", "PROXY TCP4 010.2.3.4 1.2.3.4 1 1\r\n", "version 1: bad address"],
    ["v1 zone", "PROXY TCP6 fe80::1%1 ::1 1 1\r\n", "version 1: bad address"],
    ["v1 port 65536", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "version 1: bad port"],
    ["v1 port with zero", "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n", "version 1: bad port"],
    ["v1 empty port", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", "version 1: bad port"],
    ["v1 signed port", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n", "version 1: bad port"],
    ["v1 LF alone", "PROXY UNKNOWN\n", "version 1: the line does not end in CR LF"],
    ["v1 CR inside", "PROXY UNKNOWN\rx\r\n", "version 1: the line does not end in CR LF"],
    ["v1 NUL", "PROXY UNKNOWN\0\r\n", "version 1: not ASCII"],
    ["v1 not ASCII", "PROXY UNKNOWN é\r\n", "version 1: not ASCII"],
    ["v1 of 107 bytes", `PROXY UNKNOWN ${"x".repeat(91)}\r\n`, "none"],
    ["v1 of 108 bytes", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "version 1: no end of the line"],
    ["an MQTT CONNECT", "\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0", "no PROXY header"],
    ["an HTTP request", "POST / HTTP/1.1\r\n", "no PROXY header"],
  ].map(([name, text, expected]) => ({ name: name!, bytes: line(text!), expected: expected! })),
  { name: "v2 TCP4", bytes: v2(0x21, 0x11, IPV4), expected: "203.0.113.7:55555" },
  { name: "v2 TCP6", bytes: v2(0x21, 0x21, IPV6), expected: "2001:db8::1:55555" },
  { name: "v2 TCP6 mapped", bytes: v2(0x21, 0x21, MAPPED), expected: "203.0.113.7:55555" },
  { name: "v2 UNIX", bytes: v2(0x21, 0x31, Array(216).fill(65)), expected: "none" },
  { name: "v2 UNSPEC", bytes: v2(0x21, 0x00, []), expected: "none" },
  { name: "v2 UNSPEC with bytes", bytes: v2(0x21, 0x00, [1, 2, 3, 4]), expected: "none" },
  { name: "v2 LOCAL", bytes: v2(0x20, 0x00, []), expected: "none" },
  { name: "v2 LOCAL with addresses", bytes: v2(0x20, 0x11, IPV4), expected: "none" },
  { name: "v2 LOCAL of any family", bytes: v2(0x20, 0xee, [1]), expected: "none" },
  {
    name: "v2 TLVs are skipped",
    bytes: v2(0x21, 0x11, [...IPV4, 0x01, 0, 2, 104, 50, 0x04, 0, 0, 0xea, 0, 1, 7]),
    expected: "203.0.113.7:55555",
  },
  {
    name: "v2 checksum",
    bytes: v2(0x21, 0x11, [...IPV4, 0x03, 0, 4, 0x53, 0x4c, 0x57, 0x1e]),
    expected: "203.0.113.7:55555",
  },
  {
    name: "v2 wrong checksum",
    bytes: v2(0x21, 0x11, [...IPV4, 0x03, 0, 4, 1, 2, 3, 4]),
    expected: "version 2: checksum is wrong",
  },
  {
    name: "v2 short checksum",
    bytes: v2(0x21, 0x11, [...IPV4, 0x03, 0, 3, 1, 2, 3]),
    expected: "version 2: checksum of wrong length",
  },
  {
    name: "v2 TLV cut off in its length",
    bytes: v2(0x21, 0x11, [...IPV4, 0x04, 0]),
    expected: "version 2: a TLV is cut off",
  },
  {
    name: "v2 TLV cut off in its value",
    bytes: v2(0x21, 0x21, [...IPV6, 0x04, 0, 2, 1]),
    expected: "version 2: a TLV is cut off",
  },
  {
    name: "v2 longest",
    bytes: v2(0x21, 0x11, [...IPV4, 0x04, 2017 >> 8, 2017 & 255, ...Array(2017).fill(0)]),
    expected: "203.0.113.7:55555",
  },
  {
    name: "v2 too long",
    bytes: v2(0x21, 0x11, [...IPV4, 0x04, 2018 >> 8, 2018 & 255, ...Array(2018).fill(0)]),
    expected: "version 2: header too long",
  },
  {
    name: "v2 short IPv4",
    bytes: v2(0x21, 0x11, IPV4.slice(1)),
    expected: "version 2: addresses are cut off",
  },
  {
    name: "v2 short IPv6",
    bytes: v2(0x21, 0x21, IPV4),
    expected: "version 2: addresses are cut off",
  },
  {
    name: "v2 short UNIX",
    bytes: v2(0x21, 0x31, IPV6),
    expected: "version 2: addresses are cut off",
  },
  {
    name: "v2 UDP",
    bytes: v2(0x21, 0x12, IPV4),
    expected: "version 2: unknown family or transport",
  },
  {
    name: "v2 unknown family",
    bytes: v2(0x21, 0x41, IPV4),
    expected: "version 2: unknown family or transport",
  },
  {
    name: "v2 unknown command",
    bytes: v2(0x22, 0x11, IPV4),
    expected: "version 2: unknown command",
  },
  { name: "v2 version 1", bytes: v2(0x11, 0x11, IPV4), expected: "version 2: unknown version" },
  { name: "v2 version 3", bytes: v2(0x31, 0x11, IPV4), expected: "version 2: unknown version" },
  {
    name: "v2 damaged signature",
    bytes: v2(0x21, 0x11, IPV4).with(11, 0x0b),
    expected: "no PROXY header",
  },
];
