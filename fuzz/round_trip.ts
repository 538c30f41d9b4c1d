/** Any packet: what the encoder writes, the decoder reads. */
import {
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
  type Qos,
  type TopicFilter,
  type TopicName,
  type Will,
} from "../src/mqtt/mod.ts";
import type { Random } from "./random.ts";
import { samePacket } from "./same_packet.ts";
import type { Failure, Target } from "./target.ts";

const LEVELS = ["", "a", "b", "sport", "$SYS", "ä", "温", "😀", "\ufeff", " ", "__proto__"];
const ID_TYPES = ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK"] as const;
const BARE_TYPES = ["PINGREQ", "PINGRESP", "DISCONNECT"] as const;

/** Random packets through encoder and decoder. */
export const ROUND_TRIP: Target = {
  name: "round_trip",
  inputs: 6_000_000,
  try(random: Random): Failure | null {
    const packet = randomPacket(random);
    let bytes: Uint8Array = new Uint8Array(0);
    try {
      bytes = encodePacket(packet);
      const result = decodePacket(bytes, 0, PROTOCOL_LIMITS);
      if (result.status === "packet" && result.end === bytes.length) {
        if (samePacket(result.packet, packet)) return null;
      }
      return {
        problem: `${JSON.stringify(packet)} becomes ${JSON.stringify(result)}`,
        input: bytes,
      };
    } catch (error) {
      return { problem: `${JSON.stringify(packet)} throws ${error}`, input: bytes };
    }
  },
};

function randomPacket(random: Random): ControlPacket {
  switch (random.below(9)) {
    case 0:
      return connect(random);
    case 1:
      return { type: "CONNACK", sessionPresent: random.oneIn(2), returnCode: random.below(6) };
    case 2:
    case 3:
      return publish(random);
    case 4: {
      const subscriptions = list(random, () => ({ filter: topicFilter(random), qos: qos(random) }));
      return { type: "SUBSCRIBE", packetId: packetId(random), subscriptions };
    }
    case 5: {
      const returnCodes = list(random, () => random.pick([0, 1, 2, 0x80]));
      return { type: "SUBACK", packetId: packetId(random), returnCodes };
    }
    case 6: {
      const filters = list(random, () => topicFilter(random));
      return { type: "UNSUBSCRIBE", packetId: packetId(random), filters };
    }
    case 7:
      return { type: random.pick(ID_TYPES), packetId: packetId(random) };
    default:
      return { type: random.pick(BARE_TYPES) };
  }
}

function connect(random: Random): ControlPacket {
  const cleanSession = random.oneIn(2);
  const userName = random.oneIn(2) ? topicName(random) : null;
  const will: Will | null = random.oneIn(2) ? null : {
    topic: topicName(random),
    payload: payload(random),
    qos: qos(random),
    retain: random.oneIn(2),
  };
  return {
    type: "CONNECT",
    protocolLevel: random.oneIn(4) ? 3 : 4,
    cleanSession,
    keepAliveSeconds: random.below(65_536),
    clientIdentifier: cleanSession && random.oneIn(4) ? "" : topicName(random),
    will,
    userName,
    password: userName !== null && random.oneIn(2) ? payload(random) : null,
  };
}

function publish(random: Random): ControlPacket {
  const level = qos(random);
  return {
    type: "PUBLISH",
    dup: level > 0 && random.oneIn(2),
    qos: level,
    retain: random.oneIn(2),
    topic: topicName(random),
    packetId: level === 0 ? 0 : packetId(random),
    payload: payload(random),
  };
}

function list<T>(random: Random, make: () => T): T[] {
  return Array.from({ length: 1 + random.below(5) }, make);
}

function qos(random: Random): Qos {
  return random.below(3) as Qos;
}

function packetId(random: Random): number {
  return 1 + random.below(65_535);
}

function payload(random: Random): Uint8Array {
  const length = random.oneIn(64) ? random.below(20_000) : random.below(40);
  const first = random.bits();
  return Uint8Array.from({ length }, (_, i) => first + i * 7);
}

function topicName(random: Random): TopicName {
  const levels = Array.from({ length: 1 + random.below(5) }, () => random.pick(LEVELS));
  return (levels.join("/") || "/") as TopicName;
}

function topicFilter(random: Random): TopicFilter {
  const levels = Array.from(
    { length: 1 + random.below(5) },
    () => random.oneIn(3) ? "+" : random.pick(LEVELS),
  );
  if (random.oneIn(3)) levels.push("#");
  return (levels.join("/") || "/") as TopicFilter;
}
