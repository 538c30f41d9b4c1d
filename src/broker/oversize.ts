/** What is known of a PUBLISH that is longer than allowed: the rest of it is never read. */
import { type DecoderLimits, decodeTopicName, type Qos } from "../mqtt/mod.ts";
import { makeMessage, type Message } from "./message.ts";

/** The message at `position` without its payload; its topic is empty if not all of it has come. */
export function oversizeMessage(
  bytes: Uint8Array,
  { position, limit }: { position: number; limit: number },
  limits: DecoderLimits,
): Message {
  let at = position + 1;
  while (at < limit && bytes[at]! > 0x7f) at++;
  const start = at + 3;
  const end = start + ((bytes[at + 1] ?? 0) << 8) + (bytes[at + 2] ?? 0);
  const topic = end <= limit ? decodeTopicName(bytes, { start, end }, limits) : "";
  const qos = (bytes[position]! >> 1) & 3;
  const name = typeof topic === "string" ? topic : "";
  return makeMessage(name, new Uint8Array(0), (qos === 3 ? 0 : qos) as Qos);
}
