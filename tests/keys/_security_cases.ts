/** Keys of the table `security`. */
import { assertEquals } from "@std/assert";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

/** The cases by path. */
export const securityCases: KeyCases = {
  "security.password_file": async () => {
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "right" });
    await using broker = await TestBroker.start({ security: { passwordFile } });
    for (const [password, code] of [["right", 0], ["wrong", 4]] as const) {
      using client = await WireClient.open(broker.port);
      const connack = await client.sendConnect({ userName: "alice", password: encode(password) });
      assertEquals(connack.returnCode, code);
    }
  },
  "security.access_file": async () => {
    await using files = await SecurityFiles.make();
    const accessFile = await files.access("everyone\nallow subscribe,read open/#\n");
    await using broker = await TestBroker.start({ security: { accessFile } });
    using client = await WireClient.connect(broker.port);
    assertEquals((await client.subscribe("open/#")).returnCodes, [0]);
    assertEquals((await client.subscribe("closed/#")).returnCodes, [0x80]);
  },
  "security.refused_publish": async () => {
    await using files = await SecurityFiles.make();
    const accessFile = await files.access("everyone\nallow publish open\n");
    for (const refusedPublish of ["drop", "close"] as const) {
      await using broker = await TestBroker.start({ security: { accessFile, refusedPublish } });
      using client = await WireClient.connect(broker.port);
      await client.send(publishPacket("closed", "x", { qos: 1, packetId: 1 }));
      if (refusedPublish === "drop") await client.expect("PUBACK");
      else await client.expectClosed();
      assertEquals(broker.server.broker.statistics.dropped["publish-refused"], 1);
    }
  },
};
