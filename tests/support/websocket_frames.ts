/** WebSocket frames as a client writes them, byte by byte and without the broker's own code. */

/** What a frame is made of; the defaults make a good binary frame. */
export interface ClientFrame {
  readonly opcode?: number;
  readonly payload?: Uint8Array;
  readonly final?: boolean;
  /** The three reserved bits as 0 to 7. */
  readonly reserved?: number;
  /** Null for an unmasked frame. */
  readonly mask?: readonly [number, number, number, number] | null;
  /** Bytes of the extended length: 0, 2 or 8; by default the shortest that holds it. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** The length that the frame claims, if another than that of its payload. */
  readonly claim?: bigint;
}

/** Bytes of a frame. RFC 6455 section 5.2. */
export function clientFrame(frame: ClientFrame): Uint8Array {
  const { opcode = 2, payload = new Uint8Array(0), final = true, reserved = 0 } = frame;
  const mask = frame.mask === undefined ? [0x12, 0x34, 0x56, 0x78] : frame.mask;
  const claim = frame.claim ?? BigInt(payload.length);
  const shortest = claim < 126n ? 0 : claim < 65_536n ? 2 : 8;
  const lengthBytes = frame.lengthBytes ?? shortest;
  const bytes = [(final ? 0x80 : 0) | reserved << 4 | opcode];
  const masked = mask === null ? 0 : 0x80;
  if (lengthBytes === 0) bytes.push(masked | Number(claim));
  else bytes.push(masked | (lengthBytes === 2 ? 126 : 127));
  for (let i = lengthBytes - 1; i >= 0; i--) bytes.push(Number(claim >> BigInt(8 * i) & 255n));
  if (mask !== null) bytes.push(...mask);
  payload.forEach((byte, i) => bytes.push(mask === null ? byte : byte ^ mask[i % 4]!));
  return Uint8Array.from(bytes);
}

/** Bytes one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
