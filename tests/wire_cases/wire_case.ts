/** The shape of the shared table of wire cases, and how its bytes are written down. */
import type {
  ControlPacket,
  DecoderLimits,
  ProtocolError,
  TopicFilter,
  TopicName,
} from "../../src/mqtt/mod.ts";

/** Who sends the packet; both directions share PUBLISH and its acknowledgements. */
export type Direction = "toServer" | "toClient" | "both";

/** Bytes that are a packet. */
export interface GoodCase {
  /** Reads as the rest of "The decoder reads …". */
  readonly name: string;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  readonly packet: ControlPacket;
  /** Whether the encoder writes the same bytes: the Remaining Length is as short as it can be. */
  readonly canonical: boolean;
  readonly limits: DecoderLimits;
}

/** Bytes that are a fault. */
export interface BadCase {
  /** Reads as the rest of "The decoder refuses …". */
  readonly name: string;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  /** The very object that the decoder gives. */
  readonly error: ProtocolError;
  /** Whether a client sends it as its first packet, or when it is connected. */
  readonly sender: "unconnected" | "connected";
}

/** Limits under which the table holds unless a case says otherwise. */
export const WIRE_LIMITS: DecoderLimits = {
  packetBytesMax: 70_000,
  clientIdentifierBytesMax: 32,
  topicBytesMax: 80,
  topicLevelsMax: 8,
  mqtt31: false,
};

/** A good case. */
export function good(
  name: string,
  bytes: Uint8Array,
  about: {
    packet: ControlPacket;
    direction: Direction;
    canonical?: boolean;
    limits?: Partial<DecoderLimits>;
  },
): GoodCase {
  const { packet, direction, canonical = true, limits } = about;
  return { name, bytes, packet, direction, canonical, limits: { ...WIRE_LIMITS, ...limits } };
}

/** A bad case; a CONNECT comes from a client that is not connected. */
export function bad(
  name: string,
  bytes: Uint8Array,
  about: { error: ProtocolError; direction?: Direction },
): BadCase {
  const { error, direction = "toServer" } = about;
  const sender = (bytes[0]! >> 4) === 1 ? "unconnected" : "connected";
  return { name, bytes, error, direction, sender };
}

/** Bytes, and arrays of bytes, one behind the other. */
export function bytes(...parts: readonly (number | ArrayLike<number>)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "number" ? [part] : Array.from(part)),
  );
}

/** Text behind two length bytes. */
export function text(value: string): Uint8Array {
  return binary(new TextEncoder().encode(value));
}

/** Content behind two length bytes. */
export function binary(content: ArrayLike<number>): Uint8Array {
  return bytes(content.length >> 8, content.length & 0xff, content);
}

/** A packet with the shortest Remaining Length that fits its body. */
export function packet(
  first: number,
  ...parts: readonly (number | ArrayLike<number>)[]
): Uint8Array {
  const body = bytes(...parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push(rest > 127 ? (rest % 128) + 128 : rest);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes(first, length, body);
}

/** A Topic Name that a case expects. */
export function name(topic: string): TopicName {
  return topic as TopicName;
}

/** A Topic Filter that a case expects. */
export function filter(topicFilter: string): TopicFilter {
  return topicFilter as TopicFilter;
}
