/** Requests for a WebSocket, one named case each. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { judgeUpgrade, requestEnd } from "../../src/transport/websocket_upgrade.ts";

const RULES = { path: "/mqtt", origins: ["https://hmi.plant"] };

const GOOD: Readonly<Record<string, string>> = {
  "Host": "gateway.plant:9001",
  "Upgrade": "websocket",
  "Connection": "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "mqtt",
};

interface Case {
  readonly name: string;
  /** The first line; by default a good one. */
  readonly line?: string;
  /** Fields in the place of the good ones; null leaves one out. */
  readonly fields?: Readonly<Record<string, string | null>>;
  /** Instead of all that. */
  readonly raw?: string;
  readonly status: number;
  /** Another rule for origins. */
  readonly origins?: readonly string[];
}

const CASES: readonly Case[] = [
  { name: "a good request", status: 101 },
  { name: "a query behind the path", line: "GET /mqtt?token=1 HTTP/1.1", status: 101 },
  { name: "names of fields in capitals", fields: { "Host": null, "HOST": "g" }, status: 101 },
  {
    name: "what browsers send for Connection",
    fields: { "Connection": "keep-alive, Upgrade" },
    status: 101,
  },
  { name: "Upgrade in other letters", fields: { "Upgrade": "WebSocket" }, status: 101 },
  { name: "blanks around a value", fields: { "Sec-WebSocket-Version": " \t13 " }, status: 101 },
  { name: "another method", line: "POST /mqtt HTTP/1.1", status: 405 },
  { name: "another path", line: "GET / HTTP/1.1", status: 404 },
  { name: "a longer path", line: "GET /mqtt/x HTTP/1.1", status: 404 },
  { name: "an absolute address as target", line: "GET http://g/mqtt HTTP/1.1", status: 400 },
  { name: "HTTP/1.0", line: "GET /mqtt HTTP/1.0", status: 400 },
  { name: "HTTP/2", line: "PRI * HTTP/2.0", status: 400 },
  { name: "four words in the first line", line: "GET /mqtt x HTTP/1.1", status: 400 },
  { name: "an empty first line", raw: "\r\n\r\n", status: 400 },
  { name: "bytes of MQTT", raw: "\x10\x0c\x00\x04MQTT\x04\x02\r\n\r\n", status: 400 },
  { name: "no Host", fields: { "Host": null }, status: 400 },
  { name: "no Upgrade", fields: { "Upgrade": null }, status: 426 },
  { name: "Upgrade to something else", fields: { "Upgrade": "h2c" }, status: 426 },
  { name: "no Connection", fields: { "Connection": null }, status: 426 },
  { name: "Connection without Upgrade", fields: { "Connection": "keep-alive" }, status: 426 },
  { name: "an old version", fields: { "Sec-WebSocket-Version": "8" }, status: 426 },
  { name: "no version", fields: { "Sec-WebSocket-Version": null }, status: 426 },
  { name: "no key", fields: { "Sec-WebSocket-Key": null }, status: 400 },
  {
    name: "a key of 15 bytes",
    fields: { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j" },
    status: 400,
  },
  {
    name: "a key that is not base64",
    fields: { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j*Q==" },
    status: 400,
  },
  { name: "two keys", fields: { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" }, status: 400 },
  {
    name: "no subprotocol [MQTT-6.0.0-3]",
    fields: { "Sec-WebSocket-Protocol": null },
    status: 400,
  },
  {
    name: "another subprotocol [MQTT-6.0.0-3]",
    fields: { "Sec-WebSocket-Protocol": "chat" },
    status: 400,
  },
  { name: "several subprotocols", fields: { "Sec-WebSocket-Protocol": "chat, mqtt" }, status: 101 },
  {
    name: "several fields of subprotocols",
    fields: { "Sec-WebSocket-Protocol": "chat", "sec-websocket-protocol": "mqtt" },
    status: 101,
  },
  {
    name: "the subprotocol of MQTT 3.1",
    fields: { "Sec-WebSocket-Protocol": "mqttv3.1" },
    status: 101,
  },
  { name: "a line without a colon", raw: "GET /mqtt HTTP/1.1\r\nHost g\r\n\r\n", status: 400 },
  { name: "a blank before the colon", fields: { "Host": null, "Host ": "g" }, status: 400 },
  { name: "a folded line", raw: "GET /mqtt HTTP/1.1\r\nHost: g\r\n more\r\n\r\n", status: 400 },
  {
    name: "a line end inside a value",
    raw: "GET /mqtt HTTP/1.1\r\nHost: g\nx: y\r\n\r\n",
    status: 400,
  },
  { name: "a zero byte in a value", fields: { "X": "a\0b" }, status: 400 },
  { name: "a body", fields: { "Content-Length": "5" }, status: 400 },
  { name: "an empty body", fields: { "Content-Length": "0" }, status: 101 },
  { name: "a chunked body", fields: { "Transfer-Encoding": "chunked" }, status: 400 },
  {
    name: "a page that claims to be of our own host, with a name that points at us",
    fields: { "Origin": "http://gateway.plant:9001" },
    status: 403,
  },
  { name: "a page of an allowed origin", fields: { "Origin": "https://hmi.plant" }, status: 101 },
  { name: "a page of another origin", fields: { "Origin": "https://evil.example" }, status: 403 },
  {
    name: "an origin that begins like an allowed one",
    fields: { "Origin": "https://hmi.plant.evil.example" },
    status: 403,
  },
  { name: "a page without an origin", fields: { "Origin": "null" }, status: 403 },
  { name: "any page, if all may come", fields: { "Origin": "null" }, origins: ["*"], status: 101 },
];

function requestOf({ line = "GET /mqtt HTTP/1.1", fields = {}, raw }: Case): Uint8Array {
  const all: [string, string | null][] = Object.entries({ ...GOOD, ...fields });
  const lines = all.filter(([, value]) => value !== null).map(([name, value]) =>
    `${name}: ${value}`
  );
  const text = raw ?? `${[line, ...lines].join("\r\n")}\r\n\r\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

for (const one of CASES) {
  Deno.test(`WebSocket upgrade: ${one.name} is answered with ${one.status}`, () => {
    const rules = { ...RULES, ...one.origins === undefined ? {} : { origins: one.origins } };
    const verdict = judgeUpgrade(requestOf(one), rules);
    const answer = new TextDecoder().decode(verdict.response);
    assertEquals(answer.slice(0, 12), `HTTP/1.1 ${one.status}`);
    assertEquals(verdict.kind, one.status === 101 ? "accept" : "refuse");
    assertStringIncludes(answer, "\r\n\r\n");
  });
}

Deno.test("WebSocket upgrade: the answer to the example of RFC 6455 section 1.3", () => {
  const verdict = judgeUpgrade(requestOf(CASES[0]!), RULES);
  const lines = new TextDecoder().decode(verdict.response).split("\r\n");
  assertEquals(lines, [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Protocol: mqtt", // [MQTT-6.0.0-4]
    "",
    "",
  ]);
});

Deno.test("WebSocket upgrade: the end of the request is found wherever it was cut", () => {
  const bytes = new TextEncoder().encode("GET / HTTP/1.1\r\n\r\nrest");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const first = requestEnd(bytes.subarray(0, cut), 0);
    assertEquals(first, cut >= 18 ? 18 : 0);
    if (first === 0) assertEquals(requestEnd(bytes, cut), 18);
  }
});
