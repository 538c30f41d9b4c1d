/** The fixed header (section 2.2). */
import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  DecodeError,
  Frame,
  FrameStatus,
  type ProtocolError,
  remainingLengthBytes,
} from "../../src/mqtt/mod.ts";

const ANY = 268_435_460;

function read(bytes: readonly number[], packetBytesMax = ANY): { frame: Frame; status: number } {
  const frame = new Frame();
  const source = Uint8Array.from(bytes);
  const status = frame.read(source, 0, { limit: source.length, packetBytesMax });
  return { frame, status };
}

/** Table 2.4 of the specification: first and last value of each length. */
const LENGTHS: readonly [number, readonly number[]][] = [
  [0, [0x00]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 0x01]],
  [2_097_151, [0xff, 0xff, 0x7f]],
  [2_097_152, [0x80, 0x80, 0x80, 0x01]],
  [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
];

for (const [remaining, length] of LENGTHS) {
  Deno.test(`Remaining Length ${remaining} is read from ${length.length} bytes`, () => {
    const { frame, status } = read([0x30, ...length]);
    assertEquals(status, remaining === 0 ? FrameStatus.complete : FrameStatus.incomplete);
    assertEquals(frame.totalBytes, 1 + length.length + remaining);
    assertEquals(frame.bodyStart, 1 + length.length);
    assertEquals(remainingLengthBytes(remaining), length.length);
    assertEquals(frame.canonical, true);
  });
}

Deno.test("Remaining Length in more bytes than needed is legal and not canonical", () => {
  for (const length of [[0x85, 0x00], [0x85, 0x80, 0x00], [0x85, 0x80, 0x80, 0x00]]) {
    const { frame } = read([0x30, ...length]);
    assertEquals(frame.totalBytes, 1 + length.length + 5);
    assertEquals(frame.canonical, false);
  }
});

Deno.test("a fifth length byte is refused as soon as the fourth asks for it", () => {
  for (const bytes of [[0x30, 0x80, 0x80, 0x80, 0x80], [0x30, 0xff, 0xff, 0xff, 0xff, 0x00]]) {
    const { frame, status } = read(bytes);
    assertEquals(status, FrameStatus.error);
    assertStrictEquals(frame.error, DecodeError.remainingLengthTooLong);
  }
  assertEquals(read([0x30, 0x80, 0x80, 0x80]).status, FrameStatus.incomplete);
});

Deno.test("the limit of bytes counts the fixed header, and holds before the body is there", () => {
  assertEquals(read([0x30, 98], 100).status, FrameStatus.incomplete);
  const { frame, status } = read([0x30, 99], 100);
  assertEquals(status, FrameStatus.error);
  assertStrictEquals(frame.error, DecodeError.packetTooLarge);
});

Deno.test("no bytes, or half a fixed header, are incomplete without a length", () => {
  for (const bytes of [[], [0x30], [0x30, 0x80], [0x30, 0x80, 0xff]]) {
    const { frame, status } = read(bytes);
    assertEquals(status, FrameStatus.incomplete);
    assertEquals(frame.totalBytes, 0);
  }
});

Deno.test("one cursor reads packets that stand behind one another", () => {
  const bytes = Uint8Array.of(0xc0, 0, 0x40, 2, 0, 1, 0xe0, 0);
  const frame = new Frame();
  const seen: number[][] = [];
  for (let at = 0; at < bytes.length; at = frame.end) {
    const status = frame.read(bytes, at, { limit: bytes.length, packetBytesMax: ANY });
    assertEquals(status, FrameStatus.complete);
    seen.push([frame.first, frame.bodyStart, frame.end]);
  }
  assertEquals(seen, [[0xc0, 2, 2], [0x40, 4, 6], [0xe0, 8, 8]]);
});

Deno.test("nothing is read behind the limit of the buffer", () => {
  const bytes = Uint8Array.of(0x40, 2, 0, 1);
  const frame = new Frame();
  for (let limit = 0; limit < 4; limit++) {
    const status = frame.read(bytes, 0, { limit, packetBytesMax: ANY });
    assertEquals(status, FrameStatus.incomplete);
  }
});

/** What tables 2.1 and 2.2 allow, written down once more. */
function expectedFault(first: number): ProtocolError | null {
  const type = first >> 4;
  const flags = first & 0x0f;
  if (type === 0 || type === 15) return DecodeError.reservedPacketType;
  if (type === 3) {
    const qos = (flags >> 1) & 3;
    if (qos === 3) return DecodeError.publishQos3;
    return qos === 0 && (flags & 8) !== 0 ? DecodeError.publishDupQos0 : null;
  }
  if (type === 6) return flags === 2 ? null : DecodeError.pubrelFlags;
  if (type === 8) return flags === 2 ? null : DecodeError.subscribeFlags;
  if (type === 10) return flags === 2 ? null : DecodeError.unsubscribeFlags;
  if (type === 14) return flags === 0 ? null : DecodeError.disconnectFlags;
  return flags === 0 ? null : DecodeError.fixedHeaderFlags;
}

Deno.test("all 256 first bytes are judged alone [MQTT-2.2.2-1] [MQTT-2.2.2-2]", () => {
  for (let first = 0; first < 256; first++) {
    const { frame, status } = read([first]);
    const fault = expectedFault(first);
    assertEquals(status, fault === null ? FrameStatus.incomplete : FrameStatus.error, `${first}`);
    if (fault !== null) assertStrictEquals(frame.error, fault, `${first}`);
  }
});
