/** Bans: whom they keep out, when they end, and the file they are kept in. */
import { assert, assertEquals } from "@std/assert";
import {
  type Ban,
  banId,
  type BanKind,
  BanList,
  formatBans,
  parseBans,
  Visitor,
} from "../../src/security/mod.ts";

function ban(kind: BanKind, value: string, untilMs: number | null = null): Ban {
  const id = banId(kind, value);
  assert(typeof id === "string", `${kind} ${value}`);
  return { id, kind, value, untilMs, sinceMs: 1_000, reason: "test", by: "anna" };
}

function candidate(who: { client?: string; user?: string | null; from?: string }) {
  const { client = "c", user = null, from = "192.0.2.1" } = who;
  const origin = Visitor.of("test", { hostname: from, port: 1 })!;
  return { clientIdentifier: client, userName: user, origin };
}

Deno.test("a ban keeps out whom it names by Client Identifier, user, address or network, and no other", () => {
  const list = new BanList();
  for (
    const one of [
      ban("client_id", "pump-7"),
      ban("client_id", "__proto__"),
      ban("user", "eve"),
      ban("address", "192.0.2.66"),
      ban("address", "10.1.0.0/16"),
      ban("address", "2001:db8::/32"),
    ]
  ) assertEquals(list.add(one), null);
  const cases: [Parameters<typeof candidate>[0], string | null][] = [
    [{ client: "pump-7" }, "pump-7"],
    [{ client: "pump-70" }, null],
    [{ client: "__proto__" }, "__proto__"],
    [{ client: "constructor" }, null],
    [{ client: "eve" }, null],
    [{ user: "eve" }, "eve"],
    [{ user: "Eve" }, null],
    [{ user: "pump-7" }, null],
    [{ from: "192.0.2.66" }, "192.0.2.66"],
    [{ from: "::ffff:192.0.2.66" }, "192.0.2.66"],
    [{ from: "192.0.2.67" }, null],
    [{ from: "10.1.255.255" }, "10.1.0.0/16"],
    [{ from: "10.2.0.0" }, null],
    [{ from: "2001:db8:1::1" }, "2001:db8::/32"],
    [{ from: "2001:db9::1" }, null],
  ];
  for (const [who, expected] of cases) {
    assertEquals(list.banOf(candidate(who))?.value ?? null, expected, JSON.stringify(who));
  }
  for (const { id } of list.values()) assert(list.remove(id) !== undefined);
  for (const [who] of cases) assertEquals(list.banOf(candidate(who)), null);
  assertEquals(list.remove("none"), undefined);
});

Deno.test("a ban ends with its time, and one that is made again has the new one", () => {
  const list = new BanList();
  list.add(ban("user", "a", 5_000));
  list.add(ban("user", "b", 3_000));
  list.add(ban("user", "c"));
  list.add(ban("user", "b", 9_000));
  assertEquals(list.values().map(({ value }) => value), ["a", "c", "b"]);
  assertEquals(list.expire(4_999), []);
  assertEquals(list.expire(5_000).map(({ value }) => value), ["a"]);
  assertEquals(list.banOf(candidate({ user: "a" })), null);
  assertEquals(list.expire(8_999), []);
  assertEquals(list.expire(9_000).map(({ value }) => value), ["b"]);
  assertEquals(list.expire(Infinity), []);
  assert(list.banOf(candidate({ user: "c" })) !== null);
});

Deno.test("each spelling of an address has one ban, and what is none has no ban", () => {
  assertEquals(banId("address", "::ffff:10.0.0.1"), banId("address", "10.0.0.1"));
  assertEquals(banId("address", "10.0.0.1/32"), banId("address", "10.0.0.1"));
  assert(banId("user", "10.0.0.1") !== banId("client_id", "10.0.0.1"));
  for (const wrong of ["", "10.0.0", "10.0.0.1/8", "localhost", "fe80::1%eth0"]) {
    assert(typeof banId("address", wrong) === "object", wrong);
  }
});

Deno.test("there are as many bans as may be, and one that is made again needs no room", () => {
  const list = new BanList();
  let refused = 0;
  for (let i = 0; i <= 10_000; i++) if (list.add(ban("user", `u${i}`)) !== null) refused++;
  assertEquals([list.values().length, refused], [10_000, 1]);
  assertEquals(list.add(ban("user", "u1", 7)), null);
});

Deno.test("the values of all bans together have a bound, and those that are gone do not count", () => {
  const list = new BanList();
  const long = (i: number) => ban("client_id", `${i}`.padStart(65_535, "x"));
  let count = 0;
  while (list.add(long(count)) === null) count++;
  assertEquals(count, 64);
  assertEquals(list.add(long(0)), null, "it is made again");
  assertEquals(list.values().length, 64);
  assert(list.remove(long(1).id) !== undefined);
  assertEquals(list.add(long(64)), null);
  assert(list.add(long(65)) !== null);
});

Deno.test("many addresses whose bans begin and end together hold nobody up", () => {
  const list = new BanList();
  const startMs = performance.now();
  for (let i = 0; i < 10_000; i++) list.add(ban("address", `10.0.${i >> 8}.${i & 255}`, 2_000));
  assertEquals(list.banOf(candidate({ from: "10.0.39.15" }))?.value, "10.0.39.15");
  assertEquals(list.expire(2_000).length, 10_000);
  assertEquals(list.banOf(candidate({ from: "10.0.39.15" })), null);
  // It took half a minute when each of them made the set of addresses anew.
  assert(performance.now() - startMs < 10_000);
});

Deno.test("bans come back as they were written, and a file with a mistake is none", () => {
  const bans = [
    ban("client_id", 'a"\n\u202e__proto__'),
    ban("address", "2001:db8::/32", 1_800_000_000_000),
    ban("user", ""),
  ];
  assertEquals(parseBans(formatBans(bans)), bans);
  assertEquals(parseBans(formatBans([])), []);
  const one = JSON.parse(formatBans(bans.slice(0, 1)));
  const mistakes: unknown[] = [
    null,
    [],
    { ...one, version: 2 },
    { ...one, bans: {} },
    { ...one, bans: [{ ...one.bans[0], kind: "host" }] },
    { ...one, bans: [{ ...one.bans[0], value: 7 }] },
    { ...one, bans: [{ ...one.bans[0], until: "soon" }] },
    { ...one, bans: [{ ...one.bans[0], until: undefined }] },
    { ...one, bans: [{ ...one.bans[0], kind: "address" }] },
    { ...one, bans: [null] },
  ];
  for (const mistake of mistakes) {
    const parsed = parseBans(JSON.stringify(mistake));
    assert("problem" in parsed, JSON.stringify(mistake));
  }
  assert("problem" in parseBans(formatBans(bans).slice(0, -10)));
});
