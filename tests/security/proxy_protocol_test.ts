/** The PROXY protocol on the wire. */
import { assert, assertEquals } from "@std/assert";
import {
  formatIpAddress,
  PROXY_V2_BYTES_MAX,
  type ProxyReading,
  readProxyHeader,
} from "../../src/security/mod.ts";
import { headerChecksum } from "../../src/security/_crc32c.ts";
import { PROXY_CASES } from "./_proxy_cases.ts";

function describe(reading: ProxyReading): string {
  if (reading.status === "incomplete") return "incomplete";
  if (reading.status === "error") return reading.problem;
  if (reading.source === null) return "none";
  return `${formatIpAddress(reading.source.address)}:${reading.source.port}`;
}

Deno.test("every wire case of the PROXY protocol is read as it is meant", () => {
  for (const { name, bytes, expected } of PROXY_CASES) {
    const reading = readProxyHeader(bytes);
    assertEquals(describe(reading), expected, name);
    if (reading.status === "header") assertEquals(reading.length, bytes.length, name);
  }
});

Deno.test("byte by byte a case is incomplete until it is what it is at once, and stays that", () => {
  for (const { name, bytes, expected } of PROXY_CASES) {
    let seen = "incomplete";
    for (let end = 0; end <= bytes.length; end++) {
      const now = describe(readProxyHeader(bytes.subarray(0, end)));
      if (seen !== "incomplete") assertEquals(now, seen, `${name}, ${end} bytes`);
      seen = now;
      if (end < bytes.length) assert(!/^[\d:a-f.]+$/.test(now), `${name}, ${end} bytes`);
    }
    assertEquals(seen, expected, name);
  }
});

Deno.test("what follows the header is the client's", () => {
  for (const { name, bytes, expected } of PROXY_CASES) {
    const reading = readProxyHeader(Uint8Array.from([...bytes, 0x10, 0x0c, 0, 0x0d, 0x0a]));
    assertEquals(describe(reading), expected, name);
    if (reading.status === "header") assertEquals(reading.length, bytes.length, name);
  }
});

Deno.test("no more bytes are ever wanted than a header may have", () => {
  const bytes = new Uint8Array(PROXY_V2_BYTES_MAX);
  for (const { bytes: start } of PROXY_CASES) {
    bytes.fill(0x41);
    bytes.set(start.subarray(0, bytes.length));
    assert(readProxyHeader(bytes).status !== "incomplete");
  }
});

Deno.test("the checksum is CRC32c", () => {
  // RFC 3720, B.4: 32 bytes of zero, and of ones outside the field of the checksum.
  assertEquals(headerChecksum(new Uint8Array(32), 0), 0x8a9136aa);
  const digits = new TextEncoder().encode("123456789");
  assertEquals(headerChecksum(digits, 100), 0xe3069283);
});
