/** Reads the head of an HTTP/1.1 request: RFC 9112, and nothing of it that we have no use for. */

/** Most bytes of a head: request line and header fields. */
export const HEAD_BYTES_MAX = 16_384;
/** Most bytes of a body of whom nobody knows. */
export const BODY_BYTES_MAX = 65_536;
/** Most bytes of any body. */
export const LARGE_BODY_BYTES_MAX = 4_194_304;
const FIELDS_MAX = 100;
const TARGET_LENGTH_MAX = 4_096;
/** Fields of which a second one could be read differently by somebody in between. */
const SINGLE: ReadonlySet<string> = new Set(["host", "content-length", "authorization", "origin"]);
const METHOD = /^[A-Z]{1,16}$/;
/** Methods that a `Request` cannot have. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
/** Visible characters that need no escape in a path or a query. */
const TARGET = /^\/[!$&'()*+,\-./0-9:;=?@A-Z_a-z~%]*$/;
const FIELD = /^(?<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(?<value>[^\r\n\0]*?)[ \t]*$/;
const HOST = /^(?:[0-9A-Za-z][0-9A-Za-z.\-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** The head of a request that can be answered. */
export interface RequestHead {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
  /** Whether the client may send another request on this connection. */
  readonly keepAlive: boolean;
  /** HTTP/1.0: it knows no chunks. */
  readonly isOld: boolean;
}

/** Why a request cannot be answered; the connection ends with it. */
export interface HeadFault {
  readonly status: number;
  readonly detail: string;
}

/** Where the head ends: the offset behind its empty line, which is looked for behind `from`; else -1. */
export function endOfHead(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return -1;
}

/** Reads a whole head. */
export function parseHead(bytes: Uint8Array): RequestHead | HeadFault {
  // One character for each byte, so that nothing is taken for what it is not.
  const [requestLine = "", ...lines] = String.fromCharCode(...bytes).slice(0, -4).split("\r\n");
  const [method = "", target = "", version = "", ...more] = requestLine.split(" ");
  if (!METHOD.test(method) || more.length > 0) return fault(400, "this is no request line");
  if (FORBIDDEN_METHODS.has(method)) return fault(501, `${method} is not understood`);
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    return fault(505, "HTTP/1.1 is spoken here");
  }
  if (target.length > TARGET_LENGTH_MAX) return fault(414, "the target is too long");
  if (!TARGET.test(target)) return fault(400, "the target is no path");
  if (lines.length > FIELDS_MAX) return fault(431, "there are too many header fields");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const { name: written = "", value = "" } = FIELD.exec(line)?.groups ?? {};
    const name = written.toLowerCase();
    if (name === "") return fault(400, "this is no header field");
    const before = headers.get(name);
    if (before !== undefined && SINGLE.has(name)) return fault(400, `${name} stands twice`);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return checked(headers, { method, target, isOld: version === "HTTP/1.0" });
}

function checked(
  headers: ReadonlyMap<string, string>,
  { method, target, isOld }: { method: string; target: string; isOld: boolean },
): RequestHead | HeadFault {
  const host = headers.get("host");
  if (host === undefined || !HOST.test(host)) return fault(400, "Host is missing or no host");
  // Two ways to say how long a body is are one too many: who stands in between may take the other.
  if (headers.has("transfer-encoding")) return fault(501, "only Content-Length is understood");
  const length = headers.get("content-length") ?? "0";
  if (!/^[0-9]{1,15}$/.test(length)) return fault(400, "Content-Length is no number");
  const bodyBytes = Number(length);
  if (bodyBytes > LARGE_BODY_BYTES_MAX) {
    return fault(413, `a body has at most ${LARGE_BODY_BYTES_MAX} bytes`);
  }
  if (bodyBytes > 0 && (method === "GET" || method === "HEAD")) {
    return fault(400, `${method} has no body`);
  }
  if (headers.has("expect")) return fault(417, "nothing can be expected");
  const wishes = (headers.get("connection") ?? "").toLowerCase().split(/[ \t]*,[ \t]*/);
  const keepAlive = isOld ? wishes.includes("keep-alive") : !wishes.includes("close");
  return { method, target, host, headers: [...headers], bodyBytes, keepAlive, isOld };
}

function fault(status: number, detail: string): HeadFault {
  return { status, detail };
}
