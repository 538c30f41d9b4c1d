/** The table against a real broker: a fault ends the connection it came from, and no other. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";
import { BAD_CASES, STATE_CASES, WIRE_LIMITS } from "./mod.ts";

interface Fault {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sender: "unconnected" | "connected";
  readonly tag: string;
  /** Whether a CONNACK of MQTT 3.1.1 goes out before the end. */
  readonly connack: boolean;
}

const FAULTS: readonly Fault[] = [
  ...BAD_CASES.filter(({ direction }) => direction !== "toClient").map((bad) => ({
    name: bad.name,
    bytes: bad.bytes,
    sender: bad.sender,
    tag: bad.error.tag,
    connack: bad.error.farewell !== null && bad.error.farewell[1] === 2,
  })),
  ...STATE_CASES.map((state) => ({ ...state, connack: false })),
];

/** A farewell in the form of MQTT 5, which the test client cannot decode. */
const MQTT_5_FAREWELL = "a CONNECT of MQTT 5 in the form of MQTT 5";

Deno.test("Every fault in the table closes its own connection, is logged with its tag and counted", async (t) => {
  await using broker = await TestBroker.start({ limits: WIRE_LIMITS, protocol: WIRE_LIMITS });
  const { statistics } = broker.server.broker;
  using witness = await WireClient.connect(broker.port, { clientIdentifier: "witness" });
  await witness.subscribe("witness");
  for (const { name, bytes, sender, tag, connack } of FAULTS) {
    if (name === MQTT_5_FAREWELL) continue;
    await t.step(`a client that sends ${name}`, async () => {
      using client = sender === "connected"
        ? await WireClient.connect(broker.port)
        : await WireClient.open(broker.port);
      const countBefore = statistics.protocolErrors.get(tag) ?? 0;
      broker.log.length = 0;
      await client.sendBytes(bytes);
      const farewell = await client.expectClosed();
      const connacks = farewell.filter((packet) => packet.type === "CONNACK");
      assertEquals(connacks.length, connack ? 1 : 0);
      assertEquals(statistics.protocolErrors.get(tag), countBefore + 1);
      assert(broker.log.some((line) => line.includes(`[${tag}]`)), broker.log.join(""));
      await witness.send(publishPacket("witness", name));
      const echo = await witness.expect("PUBLISH");
      assertEquals(new TextDecoder().decode(echo.payload), name);
    });
  }
});
