/** Frames of a client, one named case each; every one in one piece and byte by byte. */
import { assertEquals } from "@std/assert";
import {
  binaryFrame,
  closeFrame,
  FrameReader,
  pongFrame,
} from "../../src/transport/websocket_frames.ts";
import { clientFrame, joined } from "../support/websocket_frames.ts";

/** What a reader made of its bytes. */
interface Reading {
  readonly payload: string;
  readonly pings: readonly string[];
  readonly fault: number | null;
  readonly close: number | null;
}

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly reading: Partial<Reading>;
}

const TEXT = new TextEncoder();
const CONTINUATION = 0, CLOSE = 8, PING = 9, PONG = 10;

function bytesOf(text: string): Uint8Array {
  return TEXT.encode(text);
}

function data(text: string): Uint8Array {
  return clientFrame({ payload: bytesOf(text) });
}

function close(...payload: number[]): Uint8Array {
  return clientFrame({ opcode: CLOSE, payload: Uint8Array.from(payload) });
}

function closeWith(code: number, reason = ""): Uint8Array {
  return close(code >> 8, code & 255, ...bytesOf(reason));
}

const LONG = "x".repeat(65_535);

const CASES: readonly Case[] = [
  { name: "an empty message", bytes: data(""), reading: {} },
  { name: "a message", bytes: data("abc"), reading: { payload: "abc" } },
  {
    name: "several messages",
    bytes: joined(data("a"), data(""), data("bc")),
    reading: { payload: "abc" },
  },
  {
    name: "a message of 125 bytes",
    bytes: data("y".repeat(125)),
    reading: { payload: "y".repeat(125) },
  },
  {
    name: "a message of 126 bytes",
    bytes: data("y".repeat(126)),
    reading: { payload: "y".repeat(126) },
  },
  { name: "a message of 65,535 bytes", bytes: data(LONG), reading: { payload: LONG } },
  { name: "a message of 65,536 bytes", bytes: data(LONG + "z"), reading: { payload: LONG + "z" } },
  {
    name: "a mask of zeros",
    bytes: clientFrame({ payload: bytesOf("abcde"), mask: [0, 0, 0, 0] }),
    reading: { payload: "abcde" },
  },
  {
    name: "a message in three fragments",
    bytes: joined(
      clientFrame({ payload: bytesOf("ab"), final: false }),
      clientFrame({ opcode: CONTINUATION, payload: bytesOf("cd"), final: false }),
      clientFrame({ opcode: CONTINUATION, payload: bytesOf("e") }),
    ),
    reading: { payload: "abcde" },
  },
  {
    name: "a ping between two fragments",
    bytes: joined(
      clientFrame({ payload: bytesOf("ab"), final: false }),
      clientFrame({ opcode: PING, payload: bytesOf("p") }),
      clientFrame({ opcode: CONTINUATION, payload: bytesOf("cde") }),
    ),
    reading: { payload: "abcde", pings: ["p"] },
  },
  {
    name: "empty fragments",
    bytes: joined(
      clientFrame({ final: false }),
      clientFrame({ opcode: CONTINUATION, final: false }),
      clientFrame({ opcode: CONTINUATION }),
      data("a"),
    ),
    reading: { payload: "a" },
  },
  { name: "an empty ping", bytes: clientFrame({ opcode: PING }), reading: { pings: [""] } },
  {
    name: "a ping of 125 bytes",
    bytes: clientFrame({ opcode: PING, payload: bytesOf("p".repeat(125)) }),
    reading: { pings: ["p".repeat(125)] },
  },
  {
    name: "a pong that nobody asked for",
    bytes: joined(clientFrame({ opcode: PONG, payload: bytesOf("q") }), data("a")),
    reading: { payload: "a" },
  },
  { name: "a Close without a code", bytes: close(), reading: { close: 1005 } },
  { name: "a Close with a code", bytes: closeWith(1000), reading: { close: 1000 } },
  { name: "a Close with a reason", bytes: closeWith(1001, "bye"), reading: { close: 1001 } },
  {
    name: "a Close with a reason of 123 bytes",
    bytes: closeWith(3000, "r".repeat(123)),
    reading: { close: 3000 },
  },
  { name: "a code of an application", bytes: closeWith(4999), reading: { close: 4999 } },
  {
    name: "data behind a Close",
    bytes: joined(data("a"), close(), data("b")),
    reading: { payload: "a", close: 1005 },
  },
  {
    name: "a Close between two fragments",
    bytes: joined(clientFrame({ payload: bytesOf("a"), final: false }), close()),
    reading: { payload: "a", close: 1005 },
  },
  // Faults.
  {
    name: "a text message [MQTT-6.0.0-1]",
    bytes: clientFrame({ opcode: 1 }),
    reading: { fault: 1003 },
  },
  { name: "an unmasked frame", bytes: clientFrame({ mask: null }), reading: { fault: 1002 } },
  {
    name: "an unmasked ping",
    bytes: clientFrame({ opcode: PING, mask: null }),
    reading: { fault: 1002 },
  },
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => ({
    name: `reserved bits ${reserved.toString(2).padStart(3, "0")}`,
    bytes: joined(data("a"), clientFrame({ payload: bytesOf("b"), reserved })),
    reading: { payload: "a", fault: 1002 },
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `reserved opcode ${opcode}`,
    bytes: joined(data("a"), clientFrame({ opcode })),
    reading: { payload: "a", fault: 1002 },
  })),
  {
    name: "a ping of 126 bytes",
    bytes: clientFrame({ opcode: PING, payload: new Uint8Array(126) }),
    reading: { fault: 1002 },
  },
  {
    name: "a ping in fragments",
    bytes: clientFrame({ opcode: PING, final: false }),
    reading: { fault: 1002 },
  },
  {
    name: "a Close in fragments",
    bytes: clientFrame({ opcode: CLOSE, final: false }),
    reading: { fault: 1002 },
  },
  {
    name: "a continuation of nothing",
    bytes: clientFrame({ opcode: CONTINUATION }),
    reading: { fault: 1002 },
  },
  {
    name: "a continuation behind a whole message",
    bytes: joined(data("a"), clientFrame({ opcode: CONTINUATION, final: false })),
    reading: { payload: "a", fault: 1002 },
  },
  {
    name: "a new message inside a fragmented one",
    bytes: joined(clientFrame({ payload: bytesOf("a"), final: false }), data("b")),
    reading: { payload: "a", fault: 1002 },
  },
  {
    name: "a length of two bytes that one would hold",
    bytes: clientFrame({ payload: bytesOf("a"), lengthBytes: 2 }),
    reading: { fault: 1002 },
  },
  {
    name: "a length of eight bytes that two would hold",
    bytes: clientFrame({ claim: 65_535n, lengthBytes: 8 }),
    reading: { fault: 1002 },
  },
  {
    name: "a length with the first bit set",
    bytes: clientFrame({ claim: 1n << 63n, lengthBytes: 8 }),
    reading: { fault: 1002 },
  },
  {
    name: "a length beyond what a number can say",
    bytes: clientFrame({ claim: 1n << 53n, lengthBytes: 8 }),
    reading: { fault: 1002 },
  },
  { name: "a Close of one byte", bytes: close(3), reading: { fault: 1002 } },
  {
    name: "a Close with a reason that is not UTF-8",
    bytes: close(3, 232, 0xff),
    reading: { fault: 1007 },
  },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => ({
    name: `a Close with the code ${code}`,
    bytes: closeWith(code),
    reading: { fault: 1002 },
  })),
  ...[1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].map((code) => ({
    name: `a Close with the code ${code}`,
    bytes: closeWith(code),
    reading: { close: code },
  })),
];

/** Reads `bytes` in pieces of `size`. */
function read(bytes: Uint8Array, size: number): Reading {
  const reader = new FrameReader();
  const pings: string[] = [];
  let payload = "";
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.slice(at, at + size);
    const length = reader.decode(piece, piece.length);
    payload += new TextDecoder().decode(piece.subarray(0, length));
    const ping = reader.takePing();
    if (ping !== null) pings.push(new TextDecoder().decode(ping));
  }
  return { payload, pings, fault: reader.fault, close: reader.closeCode };
}

for (const { name, bytes, reading } of CASES) {
  Deno.test(`WebSocket: ${name}`, () => {
    const expected = { payload: "", pings: [], fault: null, close: null, ...reading };
    assertEquals(read(bytes, bytes.length), expected);
    for (const size of [1, 2, 3, 7, 4_096]) assertEquals(read(bytes, size), expected, `${size}`);
  });
}

Deno.test("WebSocket: of many pings in one piece the last is to be answered", () => {
  const pings = ["a", "b", "c"].map((text) =>
    clientFrame({ opcode: PING, payload: bytesOf(text) })
  );
  assertEquals(read(joined(...pings), 1_000).pings, ["c"]);
});

Deno.test("WebSocket: frames of the server are whole, not masked, and as short as can be", () => {
  assertEquals([...binaryFrame(bytesOf("ab"))], [0x82, 2, 97, 98]);
  assertEquals([...binaryFrame(new Uint8Array(126)).subarray(0, 4)], [0x82, 126, 0, 126]);
  assertEquals([...binaryFrame(new Uint8Array(65_535)).subarray(0, 4)], [0x82, 126, 255, 255]);
  const long = binaryFrame(new Uint8Array(65_536));
  assertEquals([...long.subarray(0, 10)], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
  assertEquals(long.length, 65_546);
  assertEquals([...pongFrame(bytesOf("p"))], [0x8a, 1, 112]);
  assertEquals([...closeFrame(1002)], [0x88, 2, 3, 234]);
  assertEquals([...closeFrame(1005)], [0x88, 0]);
});
