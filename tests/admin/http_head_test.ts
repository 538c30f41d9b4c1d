/** The head of a request, against whatever bytes. */
import { assert, assertEquals } from "@std/assert";
import { endOfHead, parseHead } from "../../src/admin/http_head.ts";

const encoder = new TextEncoder();
const SEEDS = [
  "GET /metrics HTTP/1.1\r\nHost: localhost:9883\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
  "POST /a%20b?c=d&e HTTP/1.0\r\nhost: [::1]\r\nContent-Length: 12\r\nX: \r\nx:y\r\n\r\n",
  "HEAD / HTTP/1.1\r\nHost: a.b-c\r\nAuthorization: Bearer x\r\nOrigin: null\r\n\r\n",
];

/** Numbers below `below`, always the same ones. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

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

Deno.test("no mutation of a head makes reading it throw, or let a line end into a value", () => {
  const roll = dice(1);
  let good = 0;
  for (let round = 0; round < 30_000; round++) {
    const bytes = encoder.encode(SEEDS[roll(SEEDS.length)]!);
    for (let changes = roll(4); changes > 0; changes--) bytes[roll(bytes.length)] = roll(256);
    const end = endOfHead(bytes, 0);
    if (end < 0) continue;
    const head = parseHead(bytes.subarray(0, end));
    if ("status" in head) {
      assert(head.status >= 400 && head.status < 600);
      continue;
    }
    good++;
    for (const text of [head.method, head.target, head.host, ...head.headers.flat()]) {
      assertEquals(/[\r\n\0]/.test(text), false);
    }
    if (!URL.canParse(`http://${head.host}${head.target}`)) continue;
    // What may stand in a head may stand in a request.
    new Headers(head.headers.map(([name, value]): [string, string] => [name, value]));
  }
  assert(good > 5_000, `${good}`);
});
