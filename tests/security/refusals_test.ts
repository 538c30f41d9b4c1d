/** Refusals are all counted, and told as far as that is of use. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { ipv4Address, ipv6Address, REFUSAL_REASONS } from "../../src/security/mod.ts";
import { Refusals } from "../../src/security/refusals.ts";

const BLOCKED = { reason: "ip-blocked", listener: "l" } as const;

function listening(): { refusals: Refusals; lines: string[] } {
  const lines: string[] = [];
  return { refusals: new Refusals((line) => lines.push(line)), lines };
}

Deno.test("every reason has a counter from the start", () => {
  const { counts } = listening().refusals;
  assertEquals(Object.keys(counts), [...REFUSAL_REASONS]);
  assertEquals(Object.values(counts).every((count) => count === 0), true);
});

Deno.test("of what is the same ten lines a minute are written, and the rest is told behind them", () => {
  const { refusals, lines } = listening();
  const address = ipv4Address(0x0a000001);
  for (let i = 0; i < 1_000; i++) refusals.add({ address, ...BLOCKED }, 1 + i);
  assertEquals(refusals.counts["ip-blocked"], 1_000);
  assertEquals(
    lines,
    Array(10).fill("login refused: address=10.0.0.1 reason=ip-blocked listener=l"),
  );
  refusals.add({ address, ...BLOCKED }, 70_000);
  assertEquals(
    lines.at(-1),
    "login refused: address=10.0.0.1 reason=ip-blocked suppressed=990 listener=l",
  );
});

Deno.test("what nothing comes to carry is told by itself, and in sum for too many", () => {
  const { refusals, lines } = listening();
  for (let i = 0; i < 12; i++) refusals.add({ address: ipv4Address(1), ...BLOCKED }, 1);
  lines.length = 0;
  refusals.drain(59_000);
  assertEquals(lines, [], "the minute is not over");
  refusals.drain(61_000);
  assertEquals(lines, [
    "login refused: address=0.0.0.1 reason=ip-blocked suppressed=2 listener=l",
  ]);
  lines.length = 0;
  for (let i = 0; i < 500; i++) refusals.add({ address: ipv4Address(i), ...BLOCKED }, 90_000);
  refusals.drain(90_000);
  assertEquals([lines.length, lines.at(-1)], [101, "400 refusals more, of many addresses"]);
});

Deno.test("another reason, another address or another network has lines of its own", () => {
  const { refusals, lines } = listening();
  const [a, b] = [ipv6Address([1, 1, 0, 1]), ipv6Address([1, 2, 0, 1])];
  for (let i = 0; i < 20; i++) {
    refusals.add({ address: a, ...BLOCKED }, 1);
    refusals.add({ address: ipv6Address([1, 1, i, 7]), ...BLOCKED }, 1);
    refusals.add({ address: b, ...BLOCKED }, 1);
    refusals.add({ address: a, ...BLOCKED, reason: "locked-out" }, 1);
  }
  assertEquals(lines.length, 30);
});

Deno.test("every wrong password has its line: that is what fail2ban counts", () => {
  const { refusals, lines } = listening();
  const address = ipv4Address(1);
  for (let i = 0; i < 300; i++) refusals.add({ ...BLOCKED, address, reason: "bad-credentials" }, 1);
  assertEquals(lines.length, 300);
});

Deno.test("what is kept of refusals that are not written is as short as what is", () => {
  const { refusals, lines } = listening();
  const bytes = new Uint8Array(60_000).fill(0x78);
  const heapBytes = Deno.memoryUsage().heapUsed;
  for (let i = 0; i < 4_000; i++) {
    // Each address has a line, and what it says behind that is left out, and kept.
    const address = ipv4Address(0x0a000000 + i);
    const refusal = { address, reason: "sessions-max", listener: "l" } as const;
    refusals.add({ ...refusal, userName: "u" }, i * 10);
    for (let n = 0; n < 10; n++) refusals.add({ ...refusal, userName: "u" }, i * 10);
    refusals.add({ ...refusal, userName: new TextDecoder().decode(bytes) }, i * 10);
  }
  assertLess(Deno.memoryUsage().heapUsed - heapBytes, 4_000 * bytes.length / 2);
  refusals.drain(80_000);
  const cut = lines.filter((line) => line.includes('x…"'));
  assertGreater(cut.length, 10, "and a line says that something was cut");
});
