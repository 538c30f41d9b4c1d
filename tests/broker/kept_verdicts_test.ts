/** Verdicts of the policy that the core keeps: asked once, and never used for anybody else. */
import { assertEquals } from "@std/assert";
import { type AccessPolicy, type ClientFacts, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** Allows what is asked by alice, and notes the questions: "alice publish t". */
function onlyAlice(generation: number): AccessPolicy & { readonly asked: string[] } {
  const asked: string[] = [];
  function judge({ userName }: ClientFacts, question: string): boolean {
    asked.push(`${userName} ${question}`);
    return userName === "alice";
  }
  return {
    ...OPEN_ACCESS,
    asked,
    generation,
    publish: (client, topic) => judge(client, `publish ${topic}`) ? "allow" : "drop",
    read: (client, topic) => judge(client, `read ${topic}`),
  };
}

function payloads(client: FakeClient): string[] {
  return client.takeMessages().map(({ payload }) => new TextDecoder().decode(payload));
}

Deno.test("whether a client may publish on a topic is asked once, however many topics it uses in turn", () => {
  const policy = onlyAlice(1);
  const core = new Core({ policy });
  const alice = core.connect({ userName: "alice" });
  for (let i = 0; i < 3; i++) for (const topic of ["a", "b"]) alice.publish(topic, "x");
  assertEquals(policy.asked, ["alice publish a", "alice publish b"]);
});

Deno.test("a topic that one client may publish on is refused to another, in any order", () => {
  const core = new Core({ policy: onlyAlice(1) });
  const watcher = core.connect({ userName: "alice" });
  watcher.subscribe("#");
  const alice = core.connect({ userName: "alice" });
  const bob = core.connect({ userName: "bob" });
  for (const topic of ["a", "b", "a", "b"]) {
    bob.publish(topic, "bob's");
    alice.publish(topic, "alice's");
    bob.publish(topic, "bob's");
  }
  assertEquals(payloads(watcher), Array(4).fill("alice's"));
  assertEquals(core.statistics.dropped["publish-refused"], 8);
});

Deno.test("a refused topic is refused again when the client comes back to it", () => {
  const core = new Core({ policy: onlyAlice(1) });
  const bob = core.connect({ userName: "bob" });
  for (const topic of ["a", "b", "a", "a"]) bob.publish(topic, "x");
  assertEquals(core.statistics.dropped["publish-refused"], 4);
});

Deno.test("who was allowed to publish is asked again under other rules", () => {
  const core = new Core({ policy: onlyAlice(1) });
  const alice = core.connect({ userName: "alice" });
  for (const topic of ["a", "b"]) alice.publish(topic, "x");
  const policy = onlyAlice(2);
  core.broker.setPolicy({ ...policy, publish: () => "drop" });
  for (const topic of ["a", "b"]) alice.publish(topic, "x");
  assertEquals(core.statistics.dropped["publish-refused"], 2);
});

/** A subscriber with a window of one message, and two more that wait. */
function waiting(): { core: Core; policy: ReturnType<typeof onlyAlice>; reader: FakeClient } {
  const policy = onlyAlice(1);
  const core = new Core({ policy, limits: { inFlightMessagesMax: 1 } });
  const reader = core.connect({
    userName: "alice",
    clientIdentifier: "reader",
    cleanSession: false,
  });
  reader.subscribe("t", 1);
  const publisher = core.connect({ userName: "alice" });
  for (const content of ["1", "2", "3"]) {
    publisher.send(publishPacket("t", content, { qos: 1, packetId: 7 }));
  }
  policy.asked.length = 0;
  return { core, policy, reader };
}

Deno.test("what waits for a client that may read it is sent without asking again", () => {
  const { policy, reader } = waiting();
  const received: string[] = [];
  for (let packetId = 1; packetId <= 3; packetId++) {
    received.push(...payloads(reader));
    reader.send({ type: "PUBACK", packetId });
  }
  assertEquals(received, ["1", "2", "3"]);
  assertEquals(policy.asked, []);
});

Deno.test("what waits for a client is not sent to another one that comes to its session", () => {
  const { core, reader } = waiting();
  assertEquals(payloads(reader), ["1"]);
  const bob = core.connect({ userName: "bob", clientIdentifier: "reader", cleanSession: false });
  assertEquals(bob.sessionPresent, true);
  assertEquals(payloads(bob), []);
  assertEquals(core.statistics.dropped["read-refused"], 3);
});

Deno.test("what waits for a client is not sent under rules that refuse it", () => {
  const { core, reader } = waiting();
  assertEquals(payloads(reader), ["1"]);
  core.broker.setPolicy({ ...onlyAlice(2), read: () => false });
  reader.send({ type: "PUBACK", packetId: 1 });
  assertEquals(payloads(reader), []);
  assertEquals(core.statistics.dropped["read-refused"], 2);
});
