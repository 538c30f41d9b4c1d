/** Connect Flags and the payload of CONNECT: sections 3.1.2.3 to 3.1.2.9 and 3.1.3. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, name, text, WireClient } from "../support/wire_client.ts";
import { bytes, expectRejected, field, hex, packet, rawConnect, uint16 } from "./_raw.ts";

const CLEAN = 0x02;
const WILL = 0x04;
const WILL_QOS_1 = 0x08;
const WILL_QOS_2 = 0x10;
const WILL_QOS_3 = 0x18;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

const IDENTIFIER = field("peer");
const WILL_FIELDS = [field("will"), field("gone")];

/** CONNECTs that contradict themselves; none gets a CONNACK. */
const CONTRADICTIONS = [
  {
    sentence: "the reserved Connect Flag [MQTT-3.1.2-3]",
    connects: [rawConnect({ flags: CLEAN | 1 }), rawConnect({ flags: 1 })],
  },
  {
    sentence: "the Will Flag without the Will fields [MQTT-3.1.2-9]",
    connects: [
      rawConnect({ flags: CLEAN | WILL, payload: [IDENTIFIER] }),
      rawConnect({ flags: CLEAN | WILL, payload: [IDENTIFIER, field("will")] }),
    ],
  },
  {
    sentence: "Will fields without the Will Flag [MQTT-3.1.2-11]",
    connects: [rawConnect({ payload: [IDENTIFIER, ...WILL_FIELDS] })],
  },
  {
    sentence: "a Will QoS without the Will Flag [MQTT-3.1.2-11] [MQTT-3.1.2-13]",
    connects: [WILL_QOS_1, WILL_QOS_2, WILL_QOS_3].map((qos) => rawConnect({ flags: CLEAN | qos })),
  },
  {
    sentence: "Will QoS 3 [MQTT-3.1.2-14]",
    connects: [CLEAN, CLEAN | WILL_RETAIN].map((flags) =>
      rawConnect({ flags: flags | WILL | WILL_QOS_3, payload: [IDENTIFIER, ...WILL_FIELDS] })
    ),
  },
  {
    sentence: "Will Retain without the Will Flag [MQTT-3.1.2-11] [MQTT-3.1.2-15]",
    connects: [rawConnect({ flags: CLEAN | WILL_RETAIN })],
  },
  {
    sentence: "a user name without its flag [MQTT-3.1.2-18]",
    connects: [rawConnect({ payload: [IDENTIFIER, field("user")] })],
  },
  {
    sentence: "the User Name Flag without a user name [MQTT-3.1.2-19]",
    connects: [rawConnect({ flags: CLEAN | USER_NAME, payload: [IDENTIFIER] })],
  },
  {
    sentence: "a password without its flag [MQTT-3.1.2-20]",
    connects: [
      rawConnect({
        flags: CLEAN | USER_NAME,
        payload: [IDENTIFIER, field("user"), field("secret")],
      }),
    ],
  },
  {
    sentence: "the Password Flag without a password [MQTT-3.1.2-21]",
    connects: [
      rawConnect({ flags: CLEAN | USER_NAME | PASSWORD, payload: [IDENTIFIER, field("user")] }),
    ],
  },
  {
    sentence: "the Password Flag without the User Name Flag [MQTT-3.1.2-22]",
    connects: [rawConnect({ flags: CLEAN | PASSWORD, payload: [IDENTIFIER, field("secret")] })],
  },
  {
    sentence: "no Client Identifier at all [MQTT-3.1.3-3]",
    connects: [rawConnect({ payload: [] }), rawConnect({ payload: [bytes(0)] })],
  },
  {
    sentence: "a body that ends too early [MQTT-3.1.4-1]",
    connects: [
      packet(0x10),
      packet(0x10, field("MQTT")),
      packet(0x10, field("MQTT"), bytes(4)),
      packet(0x10, field("MQTT"), bytes(4, 2, 0)),
      rawConnect({ payload: [uint16(9), bytes(0x61)] }),
    ],
  },
  {
    sentence: "a byte behind the last field [MQTT-3.1.4-1]",
    connects: [rawConnect({ payload: [IDENTIFIER, bytes(0)] })],
  },
];

for (const { sentence, connects } of CONTRADICTIONS) {
  Deno.test(`a CONNECT with ${sentence} is closed without CONNACK [MQTT-3.1.4-1] [MQTT-3.2.2-6]`, async () => {
    await using broker = await TestBroker.start();
    for (const connect of connects) await expectRejected(broker.port, connect);
  });
}

Deno.test("Will QoS 0, 1 and 2 with and without Will Retain are accepted [MQTT-3.1.2-14]", async () => {
  await using broker = await TestBroker.start();
  for (const qos of [0, WILL_QOS_1, WILL_QOS_2]) {
    for (const retain of [0, WILL_RETAIN]) {
      const flags = CLEAN | WILL | qos | retain;
      await expectAccepted(broker.port, flags, [IDENTIFIER, ...WILL_FIELDS]);
    }
  }
});

Deno.test("every legal choice of fields is read in the standard's order [MQTT-3.1.3-1] [MQTT-3.1.3-3]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  for (const will of [0, WILL]) {
    for (const login of [0, USER_NAME, USER_NAME | PASSWORD]) {
      const payload = [IDENTIFIER];
      if (will > 0) payload.push(field("will/topic"), field("will message"));
      if (login > 0) payload.push(field("user"));
      if ((login & PASSWORD) !== 0) payload.push(field("secret"));
      await expectAccepted(broker.port, CLEAN | will | login, payload);
      if (will === 0) continue;
      const published = await watcher.receiveMessage();
      assertEquals(published.topic, name("will/topic"));
      assertEquals(text(published.payload), "will message");
    }
  }
});

Deno.test("the first field of the payload is the Client Identifier [MQTT-3.1.3-3]", async () => {
  await using broker = await TestBroker.start();
  using first = await WireClient.connect(broker.port, { clientIdentifier: "one" });
  // Will Topic and User Name of the same text do not take over; the same first field does.
  const payload = [field("two"), field("one"), field("gone"), field("one")];
  await expectAccepted(broker.port, CLEAN | WILL | USER_NAME, payload);
  await first.drain();
  await expectAccepted(broker.port, CLEAN, [field("one")]);
  assertEquals(await first.expectClosed(), []);
});

Deno.test("Will Message and Password are bytes, not strings [MQTT-3.1.2-9] [MQTT-3.1.2-21]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("will");
  const content = hex("00 ff eda080 c080");
  const payload = [IDENTIFIER, field("will"), field(content), field("user"), field(content)];
  await expectAccepted(broker.port, CLEAN | WILL | USER_NAME | PASSWORD, payload);
  assertEquals((await watcher.receiveMessage()).payload, content);
});

Deno.test("user name, password and Will Message may be empty [MQTT-3.1.2-19] [MQTT-3.1.2-21]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("will");
  const payload = [IDENTIFIER, field("will"), field(""), field(""), field("")];
  await expectAccepted(broker.port, CLEAN | WILL | USER_NAME | PASSWORD, payload);
  assertEquals((await watcher.receiveMessage()).payload, new Uint8Array(0));
});

Deno.test("a CONNECT in two halves is one CONNECT [MQTT-3.1.4-1]", async () => {
  await using broker = await TestBroker.start();
  const connect = concatenate([rawConnect()]);
  for (let cut = 1; cut < connect.length; cut++) {
    using client = await WireClient.open(broker.port);
    await client.sendBytes(connect.subarray(0, cut));
    await client.sendBytes(connect.subarray(cut));
    assertEquals((await client.expect("CONNACK")).returnCode, 0);
  }
});

/** Connects, is accepted, and leaves without DISCONNECT. */
async function expectAccepted(
  port: number,
  flags: number,
  payload: readonly Uint8Array[],
): Promise<void> {
  using client = await WireClient.open(port);
  await client.sendBytes(rawConnect({ flags, payload }));
  assertEquals((await client.expect("CONNACK")).returnCode, 0);
}
