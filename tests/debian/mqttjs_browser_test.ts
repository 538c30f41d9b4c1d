/** MQTT.js in Chromium over the WebSocket listener, as a page of a plant's HMI uses it. */
import { assertEquals } from "@std/assert";
import mqttJs from "mqtt/dist/mqtt.min" with { type: "text" };
import { Chromium, type Page } from "../support/chromium.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

const HTML = { "content-type": "text/html" };
const JS = { "content-type": "text/javascript" };

/** A web server with a page that has MQTT.js; its origin is one of its own. */
function serve(): { origin: string; server: Deno.HttpServer<Deno.NetAddr> } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    if (url.endsWith("/mqtt.js")) return new Response(mqttJs, { headers: JS });
    return new Response('<!DOCTYPE html><script src="/mqtt.js"></script>', { headers: HTML });
  });
  return { origin: `http://127.0.0.1:${server.addr.port}`, server };
}

/** A broker that speaks MQTT, and MQTT over WebSocket to pages of these origins. */
function start(websocketOrigins: string): Promise<TestBroker> {
  return TestBroker.start({}, { more: [{ websocketPath: "/mqtt", websocketOrigins }] });
}

/** Connects a client in the page; `client` is it then, and `happened` what it told of. */
async function connect(page: Page, { server }: TestBroker): Promise<void> {
  await page.until("globalThis.mqtt !== undefined");
  await page.evaluate(`
    globalThis.happened = [];
    globalThis.client = mqtt.connect("ws://127.0.0.1:${server.addresses[1]!.port}/mqtt", {
      clientId: "page", reconnectPeriod: 0, connectTimeout: 20000,
    });
    for (const name of ["connect", "error", "close"]) client.on(name, () => happened.push(name));
    client.on("message", (topic, payload, { qos }) => happened.push([topic, String(payload), qos]));
    null;
  `);
}

Deno.test("a page of an allowed origin publishes and receives with every QoS", async () => {
  const { origin, server } = serve();
  try {
    await using broker = await start(`https://other.example ${origin}`);
    using plant = await WireClient.connect(broker.port, { clientIdentifier: "plant" });
    await plant.subscribe("page/#", 2);
    await using chromium = await Chromium.start();
    const page = await chromium.open();
    await page.visit(origin);
    await connect(page, broker);
    await page.until("happened.includes('connect')");
    await page.evaluate("client.subscribeAsync('plant/#', { qos: 2 })");
    for (const qos of [0, 1, 2]) {
      await page.evaluate(`client.publishAsync("page/${qos}", "of the page ü", { qos: ${qos} })`);
      const { topic, payload } = await plant.receiveMessage();
      const text = new TextDecoder().decode(payload);
      assertEquals([topic, text], [`page/${qos}`, "of the page ü"]);
      await plant.publish(`plant/${qos}`, "of the plant", { qos: qos as 0 | 1 | 2 });
      await page.until(`happened.length === ${2 + qos}`);
    }
    assertEquals(await page.evaluate("happened"), [
      "connect",
      ["plant/0", "of the plant", 0],
      ["plant/1", "of the plant", 1],
      ["plant/2", "of the plant", 2],
    ]);
    // More than one frame and one read.
    await page.evaluate("client.publishAsync('page/large', 'x'.repeat(200000), { qos: 1 })");
    assertEquals((await plant.receiveMessage()).payload.length, 200_000);
    await page.evaluate("client.endAsync()");
  } finally {
    await server.shutdown();
  }
});

Deno.test("a page of another origin does not get in", async () => {
  const { origin, server } = serve();
  try {
    await using broker = await start("https://hmi.example");
    await using chromium = await Chromium.start();
    const page = await chromium.open();
    await page.visit(origin);
    await connect(page, broker);
    await page.until("happened.includes('close')");
    assertEquals(await page.evaluate("happened.includes('connect')"), false);
    const refused = broker.log.some((line) => line.includes("origin is not allowed"));
    assertEquals(refused, true);
  } finally {
    await server.shutdown();
  }
});
