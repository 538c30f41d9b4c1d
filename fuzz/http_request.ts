/** Any bytes: the head of a request to the admin listener is found, never throws, and hides no line. */
import { endOfHead, parseHead, type RequestHead } from "../src/admin/http_head.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const encoder = new TextEncoder();
const SEEDS = [
  "GET /metrics HTTP/1.1\r\nHost: localhost:9883\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
  'POST /a%20b?c=d&e HTTP/1.0\r\nhost: [::1]\r\nContent-Length: 12\r\nX: \r\nx:y\r\n\r\n{"a": "b\\u0000"}',
  "HEAD / HTTP/1.1\r\nHost: a.b-c\r\nAuthorization: Bearer x\r\nOrigin: null\r\n\r\n",
  "DELETE /api/v1/clients/a%2Fb?will=true HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n",
].map((text) => encoder.encode(text));
/** Pieces that mean something somewhere in HTTP. */
const FRAGMENTS = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  " ",
  ":",
  "\0",
  "%00",
  "%2F",
  "../",
  "//",
  "Host: b\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Expect: 100-continue\r\n",
  " HTTP/1.1",
  "\r\n folded",
].map((text) => encoder.encode(text));

/** Mutated requests through the reader of heads. */
export const HTTP_REQUEST: Target = {
  name: "http_request",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const input = makeInput(random);
    let problem: string | null;
    try {
      problem = fault(input);
    } catch (error) {
      problem = `it threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input };
  },
};

function makeInput(random: Random): Uint8Array {
  let bytes = [...random.pick(SEEDS)];
  for (let rounds = random.below(5); rounds > 0; rounds--) {
    const at = random.below(bytes.length + 1);
    const piece = random.oneIn(2) ? [...random.pick(FRAGMENTS)] : [random.bits() & 255];
    const removed = random.oneIn(3) ? random.below(12) : random.below(2);
    bytes = bytes.toSpliced(at, removed, ...piece);
  }
  return Uint8Array.from(bytes);
}

function fault(bytes: Uint8Array): string | null {
  const end = endOfHead(bytes, 0);
  const naive = String.fromCharCode(...bytes).indexOf("\r\n\r\n");
  if (end !== (naive < 0 ? -1 : naive + 4)) return `the head ends at ${end}, not behind ${naive}`;
  for (let cut = 0; cut < Math.min(bytes.length, end); cut++) {
    const early = endOfHead(bytes.subarray(0, cut), 0);
    if (early !== -1) return `${cut} bytes of it end at ${early}`;
  }
  if (end < 0) return null;
  const head = parseHead(bytes.subarray(0, end));
  if ("status" in head) {
    return head.status >= 400 && head.status < 600 ? null : `the status is ${head.status}`;
  }
  for (const text of [head.method, head.target, head.host, ...head.headers.flat()]) {
    if (/[\r\n\0]/.test(text)) return `a line ends in ${JSON.stringify(text)}`;
  }
  // What may stand in a head may stand in a request.
  new Headers(head.headers.map(([name, value]): [string, string] => [name, value]));
  return comparable(parseHead(written(head)) as typeof head) === comparable(head)
    ? null
    : "written down, it is another head";
}

/** Without what depends on the version, and blanks at the end, which two empty fields of a name leave. */
function comparable({ method, target, host, bodyBytes, headers }: RequestHead): string {
  const fields = headers.map(([name, value]) => [name, value.trim()]);
  return JSON.stringify([method, target, host, bodyBytes, fields]);
}

function written(head: RequestHead): Uint8Array {
  const fields = head.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const text = `${head.method} ${head.target} HTTP/1.1\r\n${fields}\r\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
