/** The fixed header (section 2.2): where a Control Packet ends, and whether it may begin like that. */
import { DecodeError, type ProtocolError } from "./protocol_error.ts";

/** What `Frame.read` found. */
export const FrameStatus = { complete: 0, incomplete: 1, error: 2 } as const;

/** The fault of a first byte, by its value; null where it is legal. */
const FIRST_BYTE_FAULTS: readonly (ProtocolError | null)[] = Array.from(
  { length: 256 },
  firstByteFault,
);

/** What is wrong with the first byte of a packet, or null. [MQTT-2.2.2-2] */
export function firstByteError(first: number): ProtocolError | null {
  return FIRST_BYTE_FAULTS[first]!;
}

/**
 * A cursor over one fixed header; one object serves any number of packets.
 * Faults are found as soon as their byte is there, not when the packet is complete.
 */
export class Frame {
  /** First byte: Control Packet type and flags. */
  first = 0;
  /** Whether the Remaining Length takes as few bytes as it can; more are legal to receive. */
  canonical = true;
  /** Offset of the first byte behind the fixed header. */
  bodyStart = 0;
  /** Offset of the first byte behind the packet; only where the status is `complete`. */
  end = 0;
  /** Bytes of the whole packet, 0 while the Remaining Length is not known. */
  totalBytes = 0;
  /** What is wrong; only where the status is `error`. */
  error: ProtocolError = DecodeError.reservedPacketType;

  /** Reads the fixed header at `start` of `bytes[start, limit)`. */
  read(bytes: Uint8Array, start: number, range: { limit: number; packetBytesMax: number }): number {
    const limit = range.limit;
    this.totalBytes = 0;
    if (start >= limit) return FrameStatus.incomplete;
    const first = bytes[start]!;
    const fault = FIRST_BYTE_FAULTS[first]!;
    if (fault !== null) {
      this.error = fault;
      return FrameStatus.error;
    }
    this.first = first;
    let position = start + 1;
    let remaining = 0;
    let shift = 0;
    for (;;) {
      if (position >= limit) return FrameStatus.incomplete;
      const byte = bytes[position++]!;
      remaining += (byte & 0x7f) * (1 << shift);
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 21) {
        this.error = DecodeError.remainingLengthTooLong;
        return FrameStatus.error;
      }
    }
    this.bodyStart = position;
    this.canonical = position - start - 1 === remainingLengthBytes(remaining);
    this.end = position + remaining;
    this.totalBytes = this.end - start;
    if (this.totalBytes > range.packetBytesMax) {
      this.error = DecodeError.packetTooLarge;
      return FrameStatus.error;
    }
    return this.end <= limit ? FrameStatus.complete : FrameStatus.incomplete;
  }
}

/** Bytes that the Remaining Length field takes for this value. */
export function remainingLengthBytes(remaining: number): number {
  if (remaining < 0x80) return 1;
  if (remaining < 0x4000) return 2;
  return remaining < 0x20_0000 ? 3 : 4;
}

function firstByteFault(_: unknown, first: number): ProtocolError | null {
  const flags = first & 0x0f;
  switch (first >> 4) {
    case 0:
    case 15:
      return DecodeError.reservedPacketType;
    case 3:
      if ((flags & 0x06) === 0x06) return DecodeError.publishQos3; // [MQTT-3.3.1-4]
      return (flags & 0x0e) === 0x08 ? DecodeError.publishDupQos0 : null; // [MQTT-3.3.1-2]
    case 6:
      return flags === 2 ? null : DecodeError.pubrelFlags; // [MQTT-3.6.1-1]
    case 8:
      return flags === 2 ? null : DecodeError.subscribeFlags; // [MQTT-3.8.1-1]
    case 10:
      return flags === 2 ? null : DecodeError.unsubscribeFlags; // [MQTT-3.10.1-1]
    case 14:
      return flags === 0 ? null : DecodeError.disconnectFlags; // [MQTT-3.14.1-1]
    default:
      return flags === 0 ? null : DecodeError.fixedHeaderFlags; // [MQTT-2.2.2-1] [MQTT-2.2.2-2]
  }
}
