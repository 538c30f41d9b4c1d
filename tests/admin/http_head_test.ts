/** The head of a request; whatever bytes else: fuzz/http_request.ts. */
import { assertEquals } from "@std/assert";
import { endOfHead } from "../../src/admin/http_head.ts";

const encoder = new TextEncoder();
const SEEDS = [
  "GET /metrics HTTP/1.1\r\nHost: localhost:9883\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
  "POST /a%20b?c=d&e HTTP/1.0\r\nhost: [::1]\r\nContent-Length: 12\r\nX: \r\nx:y\r\n\r\n",
  "HEAD / HTTP/1.1\r\nHost: a.b-c\r\nAuthorization: Bearer x\r\nOrigin: null\r\n\r\n",
];

Deno.test("the end of a head is found wherever its bytes were cut", () => {
  for (const seed of SEEDS) {
    const bytes = encoder.encode(`${seed}next`);
    const end = seed.length;
    for (let first = 0; first <= bytes.length; first++) {
      const early = endOfHead(bytes.subarray(0, first), 0);
      assertEquals(early, first < end ? -1 : end);
      assertEquals(early < 0 ? endOfHead(bytes, Math.max(0, first - 3)) : end, end);
    }
  }
});
