/** PROXY headers as a load balancer would send them. */

/** Version 1, TCP over IPv4 or IPv6, by the form of the address. */
export function proxyV1(source: string, port = 5555): Uint8Array<ArrayBuffer> {
  const family = source.includes(":") ? ["TCP6", "::1"] : ["TCP4", "10.0.0.1"];
  return ascii(`PROXY ${family[0]} ${source} ${family[1]} ${port} 1883\r\n`);
}

/** Version 1 of a proxy that does not say who its client is. */
export const PROXY_V1_UNKNOWN = ascii("PROXY UNKNOWN\r\n");

/** Version 2; `source` has 4 or 16 bytes, or none for LOCAL. */
export function proxyV2(
  source: readonly number[],
  { port = 5555, tlvBytes = 0 }: { port?: number; tlvBytes?: number } = {},
): Uint8Array<ArrayBuffer> {
  const ports = [port >> 8, port & 255, 7, 0x5b];
  const target = source.map((_, index) => index === source.length - 1 ? 1 : 0);
  const tlvs = tlvBytes === 0
    ? []
    : [0xe0, (tlvBytes - 3) >> 8, (tlvBytes - 3) & 255, ...Array<number>(tlvBytes - 3).fill(0x0a)];
  const addresses = source.length === 0 ? [] : [...source, ...target, ...ports];
  const body = [...addresses, ...tlvs];
  return Uint8Array.from([
    ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
    ...[source.length === 0 ? 0x20 : 0x21, FAMILIES[source.length]!],
    ...[body.length >> 8, body.length & 255],
    ...body,
  ]);
}

const FAMILIES: Readonly<Record<number, number>> = { 0: 0x00, 4: 0x11, 16: 0x21 };

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
