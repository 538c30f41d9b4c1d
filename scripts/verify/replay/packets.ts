/** Packets that clients of the benches send. */
import type { ConnectPacket, PublishPacket, Qos, TopicName, Will } from "../../../src/mqtt/mod.ts";

/** A CONNECT; Clean Session 1 and no Will if nothing else is said. */
export function connectOf(
  clientIdentifier: string,
  { cleanSession = true, will = null, userName = null, password = null }: {
    cleanSession?: boolean;
    will?: Will | null;
    userName?: string | null;
    password?: Uint8Array | null;
  } = {},
): ConnectPacket {
  return {
    type: "CONNECT",
    protocolLevel: 4,
    cleanSession,
    keepAliveSeconds: 0,
    clientIdentifier,
    will,
    userName,
    password,
  };
}

/** A PUBLISH with one byte of payload. */
export function publishOf(
  topic: string,
  { qos = 0, packetId = 0, retain = false }: { qos?: Qos; packetId?: number; retain?: boolean } =
    {},
): PublishPacket {
  const payload = Uint8Array.of(packetId & 0xff);
  return { type: "PUBLISH", dup: false, qos, retain, topic: topic as TopicName, packetId, payload };
}

/** A Will, retained, so that it can be seen when it is published. */
export function willOf(topic: string): Will {
  return { topic: topic as TopicName, payload: Uint8Array.of(1), qos: 0, retain: true };
}
