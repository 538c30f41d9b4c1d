/** The PROXY header in front of a connection: whatever way it comes, no byte of the client's is lost. */
import { assert, assertEquals } from "@std/assert";
import { formatIpAddress, type ProxyVersions } from "../../src/security/mod.ts";
import { ProxyReader, type RawConnection } from "../../src/transport/mod.ts";
import { PROXY_V1_UNKNOWN, proxyV1, proxyV2 } from "../support/proxy_header.ts";
import { concatenate } from "../support/wire_client.ts";

const CLIENT = Uint8Array.from({ length: 700 }, (_, i) => i * 7 % 251);
const IPV4 = [203, 0, 113, 7];
const IPV6 = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 9];
const HEADERS = {
  "v1": proxyV1("203.0.113.7"),
  "v1 of IPv6": proxyV1("2001:db8::9"),
  "v1 UNKNOWN": PROXY_V1_UNKNOWN,
  "v2": proxyV2(IPV4),
  "v2 of IPv6": proxyV2(IPV6),
  "v2 with TLVs": proxyV2(IPV4, { tlvBytes: 600 }),
  "v2 as long as may be": proxyV2(IPV4, { tlvBytes: 2048 - 28 }),
  "v2 LOCAL": proxyV2([]),
} as const;

/** A peer whose segments come one with each read; then its end, or silence. */
class Segments implements RawConnection {
  readonly #segments: Uint8Array[];
  readonly #silent: boolean;
  readonly #closed = Promise.withResolvers<null>();
  closed = false;

  constructor(segments: readonly Uint8Array[], { silent = false } = {}) {
    this.#segments = [...segments];
    this.#silent = silent;
  }

  async read(target: Uint8Array): Promise<number | null> {
    const [segment] = this.#segments;
    if (segment === undefined) return this.#silent ? await this.#closed.promise : null;
    const count = Math.min(segment.length, target.length);
    target.set(segment.subarray(0, count));
    if (count === segment.length) this.#segments.shift();
    else this.#segments[0] = segment.subarray(count);
    return await Promise.resolve(count);
  }

  write(source: Uint8Array): Promise<number> {
    return Promise.resolve(source.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#closed.resolve(null);
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}
}

/** What is read of a connection. */
interface Outcome {
  /** The address named; "none" for nobody, null if it failed. */
  readonly source: string | null;
  readonly problem: string | null;
  /** What the client sent, as it comes out of the stream. */
  readonly rest: Uint8Array;
}

async function outcomeOf(
  raw: Segments,
  { versions = "any", timeoutMs = 60_000, readBytes = 512 }: {
    versions?: ProxyVersions;
    timeoutMs?: number;
    readBytes?: number;
  } = {},
): Promise<Outcome> {
  const reader = new ProxyReader({ versions, timeoutMs });
  const { promise, resolve } = Promise.withResolvers<{ stream?: RawConnection; who: string }>();
  reader.read(raw, {
    named: (stream, source) =>
      resolve({ stream, who: source === null ? "none" : formatIpAddress(source.address) }),
    failed: (problem) => resolve({ who: problem }),
  });
  const { stream, who } = await promise;
  if (stream === undefined) return { source: null, problem: who, rest: new Uint8Array() };
  const parts: Uint8Array[] = [];
  for (;;) {
    const target = new Uint8Array(readBytes);
    const count = await stream.read(target);
    if (count === null) return { source: who, problem: null, rest: concatenate(parts) };
    assert(count > 0 && count <= readBytes);
    parts.push(target.subarray(0, count));
  }
}

function sourceIn(name: string): string {
  if (/UNKNOWN|LOCAL/.test(name)) return "none";
  return name.includes("IPv6") ? "2001:db8::9" : "203.0.113.7";
}

for (const [name, header] of Object.entries(HEADERS)) {
  Deno.test(`a header ${name} split anywhere leaves the client's bytes as they were`, async () => {
    const whole = concatenate([header, CLIENT]);
    const expected = { source: sourceIn(name), problem: null, rest: CLIENT };
    for (let at = 1; at < whole.length; at++) {
      const raw = new Segments([whole.subarray(0, at), whole.subarray(at)]);
      assertEquals(await outcomeOf(raw), expected, `split at ${at}`);
      assert(!raw.closed);
    }
    const bytes = Array.from(whole, (byte) => Uint8Array.of(byte));
    assertEquals(await outcomeOf(new Segments(bytes)), expected, "byte by byte");
    for (const readBytes of [1, 3, 4096]) {
      assertEquals(await outcomeOf(new Segments([whole]), { readBytes }), expected);
    }
    assertEquals((await outcomeOf(new Segments([header]))).rest, new Uint8Array(0));
  });
}

Deno.test("a header that ends too soon is none", async () => {
  for (const header of Object.values(HEADERS)) {
    for (let end = 0; end < header.length; end++) {
      const raw = new Segments(end === 0 ? [] : [header.subarray(0, end)]);
      const { problem } = await outcomeOf(raw);
      assertEquals(problem, end === 0 ? "the end before it" : "the end within it");
      assert(raw.closed);
    }
  }
});

Deno.test("what is no header is refused as soon as it shows, and the connection is closed", async () => {
  const cases: [Uint8Array, string][] = [
    [Uint8Array.of(0x10, 0x0c), "no PROXY header"],
    [Uint8Array.of(0x16, 3, 1), "no PROXY header"],
    [new TextEncoder().encode("PROXY " + "x".repeat(200)), "version 1: no end of the line"],
    [proxyV2(IPV4, { tlvBytes: 2049 - 28 }), "version 2: header too long"],
    [new TextEncoder().encode("PROXY TCP4 300.0.0.1 1.1.1.1 1 1\r\n"), "version 1: bad address"],
  ];
  for (const [bytes, expected] of cases) {
    const raw = new Segments([bytes], { silent: true });
    assertEquals((await outcomeOf(raw)).problem, expected);
    assert(raw.closed);
  }
});

Deno.test("a listener of one version does not take the other", async () => {
  const [v1, v2] = [proxyV1("203.0.113.7"), proxyV2(IPV4)];
  for (const [versions, good, bad] of [["v1", v1, v2], ["v2", v2, v1]] as const) {
    assertEquals((await outcomeOf(new Segments([good]), { versions })).source, "203.0.113.7");
    const { problem } = await outcomeOf(new Segments([bad]), { versions });
    assertEquals(problem, `version ${versions === "v1" ? 2 : 1}: not accepted here`);
  }
});

Deno.test("a header that does not come, or not all of it, has its time", async () => {
  for (const part of [new Uint8Array(0), HEADERS.v1.subarray(0, 9), HEADERS.v2.subarray(0, 20)]) {
    const raw = new Segments(part.length === 0 ? [] : [part], { silent: true });
    assertEquals((await outcomeOf(raw, { timeoutMs: 20 })).problem, "no header within 20 ms");
    assert(raw.closed);
  }
});

Deno.test("a proxy that opens connections and says nothing has a bound, and a close ends them", async () => {
  const reader = new ProxyReader({ versions: "any", timeoutMs: 60_000 });
  const problems: string[] = [];
  const raws = Array.from({ length: 1025 }, () => new Segments([], { silent: true }));
  for (const raw of raws) {
    reader.read(raw, { named: () => {}, failed: (problem) => problems.push(problem) });
  }
  assertEquals(problems, ["1024 connections wait for their headers already"]);
  assertEquals(raws.filter(({ closed }) => closed), [raws.at(-1)!]);
  reader.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(problems.length, 1025);
  assert(raws.every(({ closed }) => closed));
});

Deno.test("a connection whose header has been read waits no more: it is not counted, nor ended", async () => {
  const reader = new ProxyReader({ versions: "any", timeoutMs: 60_000 });
  const raws = Array.from({ length: 2_100 }, () => new Segments([HEADERS.v1]));
  for (const raw of raws) {
    await new Promise<void>((resolve, reject) => {
      reader.read(raw, { named: () => resolve(), failed: (problem) => reject(new Error(problem)) });
    });
  }
  reader.close();
  assert(raws.every(({ closed }) => !closed));
});
