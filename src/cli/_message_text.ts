/** Messages as `relayq sub` writes them. */
import { decodeUtf8, type PublishPacket } from "../mqtt/mod.ts";
import type { SparkplugText } from "./_sparkplug_text.ts";
import { asJson, printable } from "./_format.ts";

/** How messages are written. */
export interface MessageFormat {
  readonly verbose: boolean;
  readonly json: boolean;
  readonly hex: boolean;
  /** Null: payloads are taken as they are. */
  readonly sparkplug: SparkplugText | null;
  /** Whether somebody looks at it, whose terminal must not get what a client has sent. */
  readonly forTerminal: boolean;
}

const encoder = new TextEncoder();

/** A message as one line; a payload that is not for a terminal goes out byte by byte. */
export function messageBytes(message: PublishPacket, format: MessageFormat): Uint8Array {
  if (format.json) return encoder.encode(`${jsonOf(message, format)}\n`);
  const { verbose, hex, sparkplug, forTerminal } = format;
  const shown = forTerminal ? printable(message.topic) : message.topic;
  const topic = encoder.encode(verbose ? `${shown} ` : "");
  const decoded = sparkplug?.decode(message) ?? null;
  if (decoded !== null) return line(topic, encoder.encode(asJson(decoded)));
  if (hex) return line(topic, encoder.encode(message.payload.toHex()));
  if (!forTerminal) return line(topic, message.payload);
  return line(topic, encoder.encode(printable(new TextDecoder().decode(message.payload), "\n\t")));
}

function jsonOf(message: PublishPacket, { hex, sparkplug }: MessageFormat): string {
  const { topic, qos, retain, dup, payload } = message;
  const decoded = sparkplug?.decode(message) ?? null;
  return asJson({
    at: new Date().toISOString(),
    topic,
    qos,
    retain,
    dup,
    payload_bytes: payload.length,
    ...(decoded !== null ? { sparkplug: decoded } : payloadJson(payload, hex)),
  });
}

function payloadJson(payload: Uint8Array, hex: boolean): Record<string, string> {
  if (hex) return { payload_hex: payload.toHex() };
  const text = decodeUtf8(payload, 0, payload.length);
  return typeof text === "string" ? { payload: text } : { payload_base64: payload.toBase64() };
}

function line(topic: Uint8Array, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(topic.length + content.length + 1);
  bytes.set(topic);
  bytes.set(content, topic.length);
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}
