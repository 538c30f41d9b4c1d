/** The end of a real broker: what it waits for, what it does not wait for, and what is published. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { ServedBroker } from "../support/served_broker.ts";
import { eventually, inDirectory, pause } from "../support/waiting.ts";
import { name, payload, publishPacket, text, WireClient } from "../support/wire_client.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
/** Against hangs; nothing is as slow as that. */
const FOR_EVER_MS = 40_000;
const FROZEN_BYTES = 8_000_000;

/** A client that takes nothing, for whom more bytes wait than its socket holds. */
async function freeze(port: number): Promise<WireClient> {
  const frozen = await WireClient.connect(port, { clientIdentifier: "frozen" });
  await frozen.subscribe("flood");
  using publisher = await WireClient.connect(port, { clientIdentifier: "flooder" });
  for (let sent = 0; sent < FROZEN_BYTES; sent += 100_000) {
    await publisher.publish("flood", "x".repeat(100_000));
  }
  await publisher.publish("other", "x", { qos: 1 }); // all before it is in
  return frozen;
}

/** Messages retained below a filter. */
async function retained(port: number, filter: string): Promise<string[]> {
  using client = await WireClient.connect(port);
  await client.subscribe(filter);
  const packets = await client.drain();
  return packets.flatMap((packet) => packet.type === "PUBLISH" ? [text(packet.payload)] : []);
}

Deno.test({
  name:
    "a PUBACK that waits for the disk when SIGTERM comes leaves when the disk has it, and then the broker ends",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      const toml = "[service]\ndrain_ms = 30000\n[audit]\nenabled = false\n";
      {
        await using broker = await ServedBroker.serve({
          directory,
          toml,
          script: `trap "" XFSZ; exec prlimit --fsize=300000:unlimited -- "$0" "$@"`,
        });
        using client = await WireClient.connect(broker.port);
        for (let packetId = 1; packetId <= 40; packetId++) {
          const options = { qos: 1, packetId, retain: true } as const;
          await client.send(publishPacket(`t/${packetId}`, "x".repeat(20_000), options));
        }
        await eventually("trouble", () => broker.err.includes("store in trouble"));
        let acknowledged = (await client.drain()).length;
        assert(acknowledged < 40);
        broker.kill("SIGTERM");
        await eventually("the signal", () => broker.err.includes("stopping: SIGTERM"));
        await pause(1_500); // longer than a closed connection lingers
        const lift = ["--pid", `${broker.pid}`, "--fsize=unlimited"];
        assert((await new Deno.Command("prlimit", { args: lift }).output()).success);
        for (; acknowledged < 40; acknowledged++) await client.expect("PUBACK", FOR_EVER_MS);
        await client.expectClosed(FOR_EVER_MS);
        assertEquals((await broker.ended()).code, 0);
      }
      await using again = await ServedBroker.serve({ directory, toml });
      assertEquals((await retained(again.port, "t/#")).length, 40);
    });
  },
});

Deno.test("a client that takes nothing holds the end up for service.drain_ms and no longer", async () => {
  await inDirectory(async (directory) => {
    const toml = "[service]\ndrain_ms = 700\n[outbox]\nhigh_water_bytes = 4194304\n";
    await using broker = await ServedBroker.serve({ directory, toml });
    using _frozen = await freeze(broker.port);
    const beforeMs = performance.now();
    broker.kill("SIGTERM");
    assertEquals((await broker.ended()).code, 0);
    assert(performance.now() - beforeMs >= 700);
    assertMatch(broker.err, /stopping: 1 clients have not taken in 700 ms what was theirs/);
  });
});

Deno.test("a second signal ends the broker at once, and what was acknowledged is stored", async () => {
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    await inDirectory(async (directory) => {
      const toml = "[service]\ndrain_ms = 600000\n[outbox]\nhigh_water_bytes = 4194304\n";
      {
        await using broker = await ServedBroker.serve({ directory, toml });
        using _frozen = await freeze(broker.port);
        using client = await WireClient.connect(broker.port);
        await client.publish("kept", "kept", { qos: 1, retain: true });
        broker.kill("SIGTERM");
        await eventually("the signal", () => broker.err.includes("stopping: SIGTERM"));
        broker.kill(signal);
        const beforeMs = performance.now();
        assertEquals((await broker.ended()).code, code);
        assertLess(performance.now() - beforeMs, FOR_EVER_MS);
      }
      await using again = await ServedBroker.serve({ directory });
      assertEquals(await retained(again.port, "kept"), ["kept"]);
    });
  }
});

Deno.test("SIGTERM at any moment of the start ends the broker, and the next one starts", async () => {
  await inDirectory(async (directory) => {
    for (let afterMs = 0; afterMs <= 600; afterMs += 40) {
      await using broker = ServedBroker.start({ directory });
      await pause(afterMs);
      broker.kill("SIGTERM");
      const { code, signal } = await broker.ended();
      // Before anything is opened, the system may end it.
      if (signal === null) assertEquals(code, 0, broker.err);
      else assertEquals([signal, broker.out, broker.err], ["SIGTERM", "", ""]);
    }
    await using broker = await ServedBroker.serve({ directory });
    broker.kill("SIGTERM");
    assertEquals((await broker.ended()).code, 0);
  });
});

Deno.test("at the end Wills go out once: to whoever is there, to stored sessions, and retained [MQTT-3.1.2-8]", async () => {
  await inDirectory(async (directory) => {
    const will = { topic: name("will/a"), payload: payload("gone"), qos: 1, retain: true } as const;
    const stored = { clientIdentifier: "stored", cleanSession: false };
    {
      await using broker = await ServedBroker.serve({ directory });
      const clients: WireClient[] = [];
      // A subscriber that came first would have gone first.
      using live = await WireClient.connect(broker.port, { clientIdentifier: "live" });
      await live.subscribe("will/#", 1);
      const away = await WireClient.connect(broker.port, stored);
      await away.subscribe("will/#", 1);
      await away.disconnect();
      clients.push(await WireClient.connect(broker.port, { clientIdentifier: "a", will }));
      broker.kill("SIGTERM");
      assertEquals(text((await live.receiveMessage()).payload), "gone");
      assertEquals((await broker.ended()).code, 0);
      for (const client of clients) client.close();
    }
    await using again = await ServedBroker.serve({ directory });
    assertEquals(await retained(again.port, "will/#"), ["gone"]);
    using back = await WireClient.connect(again.port, stored);
    const messages = (await back.drain()).filter(({ type }) => type === "PUBLISH");
    assertEquals(messages.length, 1);
  });
});

Deno.test("a client that says goodbye just when the broker ends leaves no Will [MQTT-3.14.4-3]", async () => {
  await inDirectory(async (directory) => {
    {
      await using broker = await ServedBroker.serve({ directory });
      const clients: WireClient[] = [];
      for (let i = 0; i < 100; i++) {
        const will = {
          topic: name(`will/${i}`),
          payload: payload(`${i}`),
          qos: 1,
          retain: true,
        } as const;
        clients.push(await WireClient.connect(broker.port, { clientIdentifier: `${i}`, will }));
      }
      // It does not read what they send, until it ends.
      broker.kill("SIGSTOP");
      await Promise.all(clients.map((client) => client.send({ type: "DISCONNECT" })));
      broker.kill("SIGTERM");
      broker.kill("SIGCONT");
      assertEquals((await broker.ended()).code, 0);
      for (const client of clients) client.close();
    }
    await using again = await ServedBroker.serve({ directory });
    assertEquals(await retained(again.port, "will/#"), []);
  });
});
