/** Answers that say what is wrong. */

const TITLES: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
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

/** An answer as of RFC 9457. */
export function problem(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = JSON.stringify({ type: "about:blank", title: titleOf(status), status, detail });
  return new Response(`${body}\n`, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}
