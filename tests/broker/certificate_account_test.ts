/** What retained messages and certificates take, each kind by itself, and which was kept first. */
import { assertEquals } from "@std/assert";
import { makeMessage } from "../../src/broker/mod.ts";
import { RetainedMessages } from "../../src/broker/retained.ts";
import type { TopicName } from "../../src/mqtt/mod.ts";

const CERTIFICATE = "$sparkplug/certificates/spBv1.0/G/NBIRTH/E";

function keep(retained: RetainedMessages, topic: string, atS: number, bytes = 10): void {
  retained.set(topic as TopicName, makeMessage(topic, new Uint8Array(bytes), 0), atS);
}

function remove(retained: RetainedMessages, topic: string): boolean {
  return retained.delete(topic as TopicName);
}

Deno.test("certificates and messages of clients are counted apart, and leave nothing behind", () => {
  const retained = new RetainedMessages({ ordered: true, orderedCertificates: true });
  keep(retained, "a/b", 1);
  keep(retained, CERTIFICATE, 2, 100);
  const own = { ...retained.published };
  const kept = { ...retained.certificates };
  assertEquals([own.count, kept.count], [1, 1]);
  keep(retained, "a/b", 3, 25);
  assertEquals(retained.published, { count: 1, bytes: own.bytes + 15 });
  assertEquals(retained.certificates, kept);
  assertEquals([remove(retained, CERTIFICATE), remove(retained, CERTIFICATE)], [true, false]);
  assertEquals(retained.certificates, { count: 0, bytes: 0 });
  assertEquals([remove(retained, "a"), remove(retained, "a/b/c")], [false, false]);
  assertEquals(remove(retained, "a/b"), true);
  assertEquals(retained.published, { count: 0, bytes: 0 });
});

Deno.test("the oldest of each kind is told where somebody will ask, and only there", () => {
  for (const ordered of [false, true]) {
    for (const orderedCertificates of [false, true]) {
      const retained = new RetainedMessages({ ordered, orderedCertificates });
      keep(retained, "a", 1);
      keep(retained, CERTIFICATE, 2);
      keep(retained, "b", 3);
      keep(retained, "a", 4); // anew: "b" is the oldest now
      const oldest = retained.oldest();
      const certificate = retained.oldestCertificate();
      assertEquals(oldest as unknown, ordered ? { topic: "b", atS: 3 } : null);
      const expected = orderedCertificates ? { topic: CERTIFICATE, atS: 2 } : null;
      assertEquals(certificate as unknown, expected);
    }
  }
});

Deno.test("a tree grows by the levels that are not there yet", () => {
  const retained = new RetainedMessages({ ordered: false });
  const topic = (text: string) => text as TopicName;
  const level = retained.growth(topic("a"));
  assertEquals(retained.growth(topic("a/b/c")), 3 * level);
  keep(retained, "a/b", 0);
  assertEquals(["a", "a/b", "a/b/c", "a/x/y"].map((t) => retained.growth(topic(t)) / level), [
    0,
    0,
    1,
    2,
  ]);
});
