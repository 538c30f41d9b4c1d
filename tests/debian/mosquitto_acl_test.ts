/** Random `acl_file`s: what Debian's mosquitto lets pass, the imported rules allow, and no more. */
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import type { TopicName } from "../../src/mqtt/mod.ts";
import { AccessRules, importMosquittoAcl } from "../../src/security/mod.ts";
import { text, WireClient } from "../support/wire_client.ts";
import { Mosquitto } from "./_mosquitto.ts";

const ROUNDS = 25;
const LEVELS = ["a", "b", "u1", "c1", "c2"];
const CLIENTS = [
  { userName: "u1", clientIdentifier: "c1" },
  { userName: "u2", clientIdentifier: "c2" },
  { clientIdentifier: "c3" },
];
const TOPICS = LEVELS.flatMap((first) => [
  first,
  ...LEVELS.flatMap((second) => [`${first}/${second}`, `${first}/${second}/a`]),
]);

/** Sees all and publishes on all. */
const ADMIN = "user admin\ntopic readwrite #\n";

function randomAcl(random: Random): string {
  const lines: string[] = [];
  for (let i = 0; i < 8; i++) {
    if (random.oneIn(3)) lines.push(`user u${1 + random.below(2)}`);
    const pattern = random.oneIn(3);
    // A pattern that denies is known to mean something else; the import says so.
    const access = random.pick(["read ", "write ", "readwrite ", "", pattern ? "" : "deny "]);
    const levels = pattern ? ["a", "b", "%u", "%c", "+"] : ["a", "b", "c1", "+", "u1"];
    const chosen = Array.from({ length: 1 + random.below(3) }, () => random.pick(levels));
    if (random.oneIn(3)) chosen[chosen.length - 1] = "#";
    lines.push(`${pattern ? "pattern" : "topic"} ${access}${chosen.join("/")}`);
  }
  return `${lines.join("\n")}\n${ADMIN}`;
}

/** Topics of the messages that came with this payload. */
async function received(client: WireClient, payload: string): Promise<string[]> {
  const packets = await client.drain();
  return packets.flatMap((packet) =>
    packet.type === "PUBLISH" && text(packet.payload) === payload ? [packet.topic] : []
  );
}

async function compare(acl: string): Promise<number> {
  const imported = importMosquittoAcl(acl);
  assert(imported.ok, JSON.stringify(imported));
  const rules = AccessRules.parse(imported.value.text);
  assert(rules.ok, JSON.stringify(rules));
  await using broker = await Mosquitto.start("allow_anonymous true\nacl_file DIR/acl\n", { acl });
  const options = { userName: "admin", clientIdentifier: "admin" };
  using admin = await WireClient.connect(broker.port, options);
  await admin.subscribe("#");
  let passed = 0;
  for (const identity of CLIENTS) {
    using client = await WireClient.connect(broker.port, identity);
    await client.subscribe("#");
    for (const topic of TOPICS) await admin.publish(topic, "to all");
    await admin.drain();
    const read = await received(client, "to all");
    for (const topic of TOPICS) await client.publish(topic, "from client");
    await client.drain();
    const published = await received(admin, "from client");
    const ours = rules.value.for({ userName: null, certificate: null, ...identity });
    const note = `${JSON.stringify(identity)}\n${acl}\n${imported.value.text}`;
    assertEquals(read, TOPICS.filter((topic) => ours.read(topic as TopicName)), note);
    assertEquals(published, TOPICS.filter((topic) => ours.publish(topic as TopicName)), note);
    passed += read.length + published.length;
  }
  return passed;
}

Deno.test("imported access files allow what mosquitto allows", async () => {
  const random = new Random(4);
  let passed = 0;
  for (let round = 0; round < ROUNDS; round++) passed += await compare(randomAcl(random));
  assert(passed > ROUNDS, "nearly nothing was allowed at all");
});
