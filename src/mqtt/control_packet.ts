/**
 * The 14 Control Packets of MQTT 3.1.1 (section 2.2.1) as values.
 *
 * The hot path of the broker reads PUBLISH and the acknowledgements in place and never builds these
 * objects; they serve CONNECT, SUBSCRIBE and UNSUBSCRIBE, clients, tests and tools.
 */
import type { TopicFilter, TopicName } from "./topic.ts";

/** Quality of Service level. */
export type Qos = 0 | 1 | 2;

/** Control Packet types, bits 7 to 4 of the first byte (table 2.1). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
} as const;

/** Names by type number; index 0 and 15 are the reserved types. */
export const PACKET_NAMES: readonly string[] = [
  "reserved type 0",
  ...Object.keys(PacketType),
  "reserved type 15",
];

/** CONNACK return codes (table 3.1). */
export const ConnackCode = {
  accepted: 0,
  unacceptableProtocolLevel: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;

/** A CONNACK return code. */
export type ConnackCode = typeof ConnackCode[keyof typeof ConnackCode];

/** SUBACK return code for a refused subscription (section 3.9.3). */
export const SUBACK_FAILURE = 0x80;

/** A Will Message as it stands in CONNECT. */
export interface Will {
  readonly topic: TopicName;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** CONNECT (section 3.1). `keepAliveSeconds` 0 means no keep alive. */
export interface ConnectPacket {
  readonly type: "CONNECT";
  /** 4 for MQTT 3.1.1, 3 for MQTT 3.1. */
  readonly protocolLevel: 3 | 4;
  readonly cleanSession: boolean;
  readonly keepAliveSeconds: number;
  readonly clientIdentifier: string;
  readonly will: Will | null;
  readonly userName: string | null;
  readonly password: Uint8Array | null;
}

/** CONNACK (section 3.2). */
export interface ConnackPacket {
  readonly type: "CONNACK";
  readonly sessionPresent: boolean;
  readonly returnCode: number;
}

/** PUBLISH (section 3.3). `packetId` is 0 at QoS 0. */
export interface PublishPacket {
  readonly type: "PUBLISH";
  readonly dup: boolean;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly topic: TopicName;
  readonly packetId: number;
  readonly payload: Uint8Array;
}

/** The packets that are a Packet Identifier and nothing else. */
export interface AcknowledgementPacket {
  readonly type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP" | "UNSUBACK";
  readonly packetId: number;
}

/** One Topic Filter of a SUBSCRIBE with the QoS asked for. */
export interface SubscriptionRequest {
  readonly filter: TopicFilter;
  readonly qos: Qos;
}

/** SUBSCRIBE (section 3.8). */
export interface SubscribePacket {
  readonly type: "SUBSCRIBE";
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
}

/** SUBACK (section 3.9); a return code for each Topic Filter, in order. */
export interface SubackPacket {
  readonly type: "SUBACK";
  readonly packetId: number;
  readonly returnCodes: readonly number[];
}

/** UNSUBSCRIBE (section 3.10). */
export interface UnsubscribePacket {
  readonly type: "UNSUBSCRIBE";
  readonly packetId: number;
  readonly filters: readonly TopicFilter[];
}

/** PINGREQ, PINGRESP and DISCONNECT: a fixed header and nothing else. */
export interface BarePacket {
  readonly type: "PINGREQ" | "PINGRESP" | "DISCONNECT";
}

/** Any Control Packet. */
export type ControlPacket =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AcknowledgementPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | BarePacket;
