/** UTF-8 encoded strings of MQTT (section 1.5.3). */
import { DecodeError, type ProtocolError } from "./protocol_error.ts";

// A byte order mark is a character like any other. [MQTT-1.5.3-3]
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/**
 * Decodes `bytes[start, end)`; ill-formed UTF-8 (surrogates and overlong forms included) and U+0000
 * are protocol errors. [MQTT-1.5.3-1] [MQTT-1.5.3-2]
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | ProtocolError {
  let ascii = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return DecodeError.nullCharacter;
    if (byte > 0x7f) ascii = false;
  }
  const part = bytes.subarray(start, end);
  // TextDecoder costs more than this for the short ASCII strings that most topics are.
  if (ascii && part.length <= 64) {
    return String.fromCharCode.apply(null, part as unknown as number[]);
  }
  try {
    return STRICT.decode(part);
  } catch {
    return DecodeError.illFormedUtf8;
  }
}

/** Encodes a string; lone surrogates, which have no UTF-8 form, become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}
