/** Regressions: the log costs one write for each turn, not for each line. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

Deno.test("the lines of one turn are written to the log at once", async () => {
  await using broker = await TestBroker.start();
  const { server, log } = broker;
  const clients: WireClient[] = [];
  for (let i = 0; i < 20; i++) {
    clients.push(await WireClient.connect(broker.port, { clientIdentifier: `c${i}` }));
  }
  const before = log.length;
  for (const connection of server.broker.connections()) {
    server.broker.close(connection, "shutdown", server.turns.instant());
  }
  server.turns.requestTurn();
  for (const client of clients) await client.expectClosed();
  const writes = log.slice(before);
  assertEquals(writes.length, 1);
  assertEquals(writes[0]!.split("\n").length, 20 + 1);
  assertEquals(writes[0]!.endsWith("\n"), true);
  for (const client of clients) client.close();
});

Deno.test("no line of the log is lost when the broker ends", async () => {
  const broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port, { clientIdentifier: "last" });
  const stopped = broker[Symbol.asyncDispose]();
  await client.expectClosed();
  client.close();
  await stopped;
  const lines = broker.log.join("").split("\n");
  assertEquals(lines.filter((line) => line.includes("stopping: end of test")).length, 1);
  assertEquals(lines.some((line) => line.includes("closed") && line.includes("last")), true);
});
