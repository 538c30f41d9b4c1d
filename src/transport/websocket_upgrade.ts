/** The opening handshake of a WebSocket, as the server judges it. RFC 6455 section 4.2. */
import { createHash } from "node:crypto";

/** Most bytes of the head of the request. */
export const REQUEST_BYTES_MAX = 8_192;
/** What is hashed behind the key. RFC 6455 section 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Subprotocols in the order we prefer them: 3.1.1 and later, and what 3.1 used. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
};

/** Whom a listener speaks WebSocket with. */
export interface UpgradeRules {
  /** Path of the resource, as "/mqtt". */
  readonly path: string;
  /**
   * Origins whose pages may connect, in lower case, as "https://hmi.plant"; "*" allows all. A client
   * that is no browser has none, and is not asked.
   */
  readonly origins: readonly string[];
}

/** What becomes of a request. */
export type UpgradeVerdict =
  | { readonly kind: "accept"; readonly response: Uint8Array }
  | { readonly kind: "refuse"; readonly reason: string; readonly response: Uint8Array };

/** Where the head of a request ends: the offset behind the empty line, 0 if that has not come. */
export function requestEnd(bytes: Uint8Array, from: number): number {
  for (let i = Math.max(from - 3, 0); i + 3 < bytes.length; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) {
      return i + 4;
    }
  }
  return 0;
}

/** Judges a request, given as its head up to and with the empty line. */
export function judgeUpgrade(head: Uint8Array, rules: UpgradeRules): UpgradeVerdict {
  const request = parseRequest(head);
  if (request === null) return refuse(400, "not an HTTP/1.1 request");
  const { method, target, headers } = request;
  if (method !== "GET") return refuse(405, "not a GET request", ["Allow: GET"]);
  if (target.split("?", 1)[0] !== rules.path) return refuse(404, "unknown path");
  if (!hasToken(headers, "upgrade", "websocket") || !hasToken(headers, "connection", "upgrade")) {
    return refuse(426, "no Upgrade to websocket", ["Upgrade: websocket"]);
  }
  if (headers.get("sec-websocket-version") !== "13") {
    return refuse(426, "WebSocket version is not 13", ["Sec-WebSocket-Version: 13"]);
  }
  const key = headers.get("sec-websocket-key") ?? "";
  if (!KEY.test(key)) return refuse(400, "Sec-WebSocket-Key is not base64 of 16 bytes");
  if (!mayCome(headers, rules)) return refuse(403, "origin is not allowed");
  const offered = tokens(headers.get("sec-websocket-protocol"));
  // [MQTT-6.0.0-3] [MQTT-6.0.0-4]
  const chosen = SUBPROTOCOLS.find((name) => offered.includes(name));
  if (chosen === undefined) return refuse(400, 'subprotocol "mqtt" is not offered');
  const accept = createHash("sha1").update(key + KEY_SUFFIX).digest("base64");
  const response = encode([
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${chosen}`,
  ]);
  return { kind: "accept", response };
}

/** The answer to a head longer than `REQUEST_BYTES_MAX`. */
export function refuseTooLong(): UpgradeVerdict {
  return refuse(431, `request is longer than ${REQUEST_BYTES_MAX} bytes`);
}

interface Request {
  readonly method: string;
  readonly target: string;
  /** By name in lower case; fields that came several times are joined. */
  readonly headers: ReadonlyMap<string, string>;
}

function parseRequest(head: Uint8Array): Request | null {
  // Bytes as characters: nothing but ASCII is looked at.
  const text = String.fromCharCode(...head);
  const [first, ...lines] = text.slice(0, -4).split("\r\n");
  const [method, target, version, ...rest] = first!.split(" ");
  if (version !== "HTTP/1.1" || rest.length > 0) return null;
  if (!TOKEN.test(method!) || !/^\/[\x21-\x7e]*$/.test(target!)) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name)) return null;
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    // deno-lint-ignore no-control-regex -- control characters are what must not be there
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return null;
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  // A body would be taken for frames.
  if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") {
    return null;
  }
  return (headers.get("host") ?? "") === "" ? null : { method: method!, target: target!, headers };
}

/**
 * What the request calls our host proves nothing: with a name of its own that it points at our
 * address, a page from anywhere would be "of the same host".
 */
function mayCome(headers: ReadonlyMap<string, string>, { origins }: UpgradeRules): boolean {
  const origin = headers.get("origin")?.toLowerCase();
  return origin === undefined || origins.includes("*") || origins.includes(origin);
}

function hasToken(headers: ReadonlyMap<string, string>, name: string, token: string): boolean {
  return tokens(headers.get(name)).some((one) => one.toLowerCase() === token);
}

function tokens(list: string | undefined): string[] {
  return (list ?? "").split(",").map((token) => token.trim());
}

function refuse(status: number, reason: string, headers: readonly string[] = []): UpgradeVerdict {
  const body = `${reason}\n`;
  const response = encode([
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    ...headers,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
  ], body);
  return { kind: "refuse", reason, response };
}

function encode(lines: readonly string[], body = ""): Uint8Array {
  return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
