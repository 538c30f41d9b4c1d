/** Keys of the table `rate`. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

const MESSAGES = 20;
/** Of a message as it is sent here. */
const MESSAGE_BYTES = 100;

/**
 * Lets some clients send `MESSAGES` together; tells whether somebody had to wait, as soon as that
 * is known.
 */
async function waits(rate: NonNullable<ConfigChanges["rate"]>, clients = 1): Promise<boolean> {
  await using broker = await TestBroker.start({ rate });
  const { statistics } = broker.server.broker;
  const packet = publishPacket("t", "x".repeat(MESSAGE_BYTES - 5));
  const all: WireClient[] = [];
  for (let i = 0; i < clients; i++) {
    const client = await WireClient.connect(broker.port);
    all.push(client);
    await client.send(...Array.from({ length: MESSAGES / clients }, () => packet));
  }
  const deadline = performance.now() + 15_000;
  while (statistics.publishReceived < MESSAGES && statistics.rateHolds === 0) {
    assert(performance.now() < deadline, "neither taken nor held");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const client of all) client.close();
  if (statistics.rateHolds === 0) return false;
  assertLess(statistics.publishReceived, MESSAGES);
  return true;
}

/** Each rate with a burst that is too small, one that is large enough, and no limit. */
function casesOf(
  kind: "client" | "total",
  { clients, enough }: { clients: number; enough: number },
): KeyCases {
  const [messages, bytes] = [`${kind}MessagesPerSecond`, `${kind}BytesPerSecond`] as const;
  const [messagesBurst, bytesBurst] = [`${kind}MessagesBurst`, `${kind}BytesBurst`] as const;
  const few = 5;
  return {
    [`rate.${kind}_messages_per_second`]: async () => {
      assertEquals(await waits({ [messages]: few }, clients), true, "a burst of 0 is a second's");
      assertEquals(await waits({ [messages]: enough }, clients), false);
      assertEquals(await waits({ [messages]: 0, [messagesBurst]: few }, clients), false);
    },
    [`rate.${kind}_messages_burst`]: async () => {
      assertEquals(await waits({ [messages]: 1, [messagesBurst]: few }, clients), true);
      assertEquals(await waits({ [messages]: 1, [messagesBurst]: enough }, clients), false);
    },
    [`rate.${kind}_bytes_per_second`]: async () => {
      assertEquals(await waits({ [bytes]: few * MESSAGE_BYTES }, clients), true);
      assertEquals(await waits({ [bytes]: enough * MESSAGE_BYTES }, clients), false);
      assertEquals(await waits({ [bytes]: 0, [bytesBurst]: few }, clients), false);
    },
    [`rate.${kind}_bytes_burst`]: async () => {
      const [small, large] = [few * MESSAGE_BYTES, enough * MESSAGE_BYTES];
      assertEquals(await waits({ [bytes]: 100, [bytesBurst]: small }, clients), true);
      assertEquals(await waits({ [bytes]: 100, [bytesBurst]: large }, clients), false);
    },
  };
}

/** Every case. */
export const rateCases: KeyCases = {
  ...casesOf("client", { clients: 1, enough: MESSAGES }),
  // Each of them alone would be within the limit.
  ...casesOf("total", { clients: 10, enough: MESSAGES }),
  "rate.over_limit": async () => {
    for (const overLimit of ["hold", "close"] as const) {
      await using broker = await TestBroker.start({
        rate: { clientMessagesPerSecond: 1, clientMessagesBurst: 2, overLimit },
      });
      using client = await WireClient.connect(broker.port, { clientIdentifier: "greedy" });
      const packets = [1, 2, 3, 4].map((packetId) => publishPacket("t", "x", { qos: 1, packetId }));
      await client.send(...packets);
      for (let taken = 0; taken < 3; taken++) await client.expect("PUBACK");
      const { statistics } = broker.server.broker;
      if (overLimit === "hold") {
        await client.expect("PUBACK");
        assertEquals(statistics.rateCloses, 0);
        assertGreater(statistics.rateHolds, 0);
      } else {
        assertEquals(await client.expectClosed(), []);
        assertEquals(statistics.rateCloses, 1);
        const said = (line: string) => line.includes('"greedy"') && line.includes("its rate");
        assert(broker.log.some(said));
      }
    }
  },
};
