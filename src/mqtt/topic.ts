/** Topic Names and Topic Filters (section 4.7). Two types, so that one cannot stand for the other. */
import { type DecoderLimits, PROTOCOL_LIMITS } from "./limits.ts";
import { DecodeError, type ProtocolError } from "./protocol_error.ts";
import { decodeUtf8 } from "./utf8.ts";

declare const kind: unique symbol;
/** A valid Topic Name: at least one character, no wildcard, no U+0000. */
export type TopicName = string & { readonly [kind]: "TopicName" };
/** A valid Topic Filter: at least one character, wildcards in their places, no U+0000. */
export type TopicFilter = string & { readonly [kind]: "TopicFilter" };

const PLUS = 0x2b;
const HASH = 0x23;
const SLASH = 0x2f;

/** Reads a Topic Name from its bytes, or says what is wrong with it. */
export function decodeTopicName(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): TopicName | ProtocolError {
  const { start, end } = range;
  if (start === end) return DecodeError.topicEmpty; // [MQTT-4.7.3-1]
  if (end - start > limits.topicBytesMax) return DecodeError.topicTooLong;
  let levels = 1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === PLUS || byte === HASH) return DecodeError.topicWildcard; // [MQTT-3.3.2-2]
    if (byte === SLASH) levels++;
  }
  if (levels > limits.topicLevelsMax) return DecodeError.topicTooDeep;
  return decodeUtf8(bytes, start, end) as TopicName | ProtocolError;
}

/** Reads a Topic Filter from its bytes, or says what is wrong with it. */
export function decodeTopicFilter(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): TopicFilter | ProtocolError {
  const { start, end } = range;
  if (start === end) return DecodeError.topicEmpty; // [MQTT-4.7.3-1]
  if (end - start > limits.topicBytesMax) return DecodeError.topicTooLong;
  const fault = wildcardFault(bytes, start, end) ?? depthFault(bytes, range, limits);
  if (fault !== null) return fault;
  return decodeUtf8(bytes, start, end) as TopicFilter | ProtocolError;
}

/** Checks a string that the program itself made or read from a file. */
export function asTopicName(text: string): TopicName | ProtocolError {
  const bytes = new TextEncoder().encode(text);
  return decodeTopicName(bytes, { start: 0, end: bytes.length }, PROTOCOL_LIMITS);
}

/** Checks a string that the program itself made or read from a file. */
export function asTopicFilter(text: string): TopicFilter | ProtocolError {
  const bytes = new TextEncoder().encode(text);
  return decodeTopicFilter(bytes, { start: 0, end: bytes.length }, PROTOCOL_LIMITS);
}

/** Whether a Topic Filter matches a Topic Name, one at a time; the broker has a tree for many. */
export function topicMatches(filter: TopicFilter, topic: TopicName): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  const wildcard = wanted[0] === "#" || wanted[0] === "+";
  if (wildcard && topic.startsWith("$")) return false; // [MQTT-4.7.2-1]
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true; // it stands for its parent, too
    if (i >= levels.length || (wanted[i] !== "+" && wanted[i] !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** `#` only as the whole last level, `+` only as a whole level. [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
function wildcardFault(bytes: Uint8Array, start: number, end: number): ProtocolError | null {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte !== PLUS && byte !== HASH) continue;
    const opensLevel = i === start || bytes[i - 1] === SLASH;
    const closesLevel = i === end - 1 || (byte === PLUS && bytes[i + 1] === SLASH);
    if (opensLevel && closesLevel) continue;
    return byte === HASH ? DecodeError.filterMultiLevel : DecodeError.filterSingleLevel;
  }
  return null;
}

function depthFault(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): ProtocolError | null {
  let levels = 1;
  for (let i = range.start; i < range.end; i++) if (bytes[i] === SLASH) levels++;
  return levels > limits.topicLevelsMax ? DecodeError.topicTooDeep : null;
}
