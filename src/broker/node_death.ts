/** NDEATH: a Will is made at CONNECT, so its own time stamp says nothing about the death. */
import { makeMessage, type Message } from "./message.ts";
import type { Turn } from "./turn.ts";

/** Most bytes of a packet behind its fixed header and its Packet Identifier. */
const MESSAGE_BYTES_MAX = 268_435_453;

/**
 * The message with the time of this moment in its payload; itself if that is not wanted or its
 * payload cannot be parsed. [tck-id-conformance-mqtt-aware-ndeath-timestamp]
 */
export function stampNodeDeath({ sparkplug, statistics, wallMs }: Turn, message: Message): Message {
  const stamp = sparkplug?.stampNodeDeath ?? null;
  if (stamp === null) return message;
  const { payload, size } = message;
  if (payload.length === 0) return message; // it removes what is retained, and must still do so
  const stamped = stamp(payload, wallMs);
  if (stamped === null || size - payload.length + stamped.length > MESSAGE_BYTES_MAX) {
    statistics.deathsNotStamped++;
    return message;
  }
  statistics.deathsStamped++;
  return makeMessage(message.topic, stamped, message.qos);
}
