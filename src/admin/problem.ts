/** Answers that say what is wrong. */

const TITLES: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** The name of a status. */
export function titleOf(status: number): string {
  return TITLES[status] ?? "";
}

/** An answer as of RFC 9457; `more` are members of its own, such as diagnostics. */
export function problem(
  status: number,
  detail: string,
  { headers = {}, more = {} }: {
    headers?: Readonly<Record<string, string>>;
    more?: Readonly<Record<string, unknown>>;
  } = {},
): Response {
  const title = titleOf(status);
  const body = JSON.stringify({ type: "about:blank", title, status, detail, ...more });
  return new Response(`${body}\n`, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}
