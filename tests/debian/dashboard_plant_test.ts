/** The plant of Sparkplug on the dashboard, in Chromium, with names that mean no good. */
import { assertEquals } from "@std/assert";
import { ApiBroker } from "../admin/_api.ts";
import { metric, payload } from "../sparkplug/_encode.ts";
import { Chromium } from "../support/chromium.ts";
import { name, publishPacket, WireClient } from "../support/wire_client.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>owned()`;
const INT64 = 4;
const BOOLEAN = 11;
const STRING = 12;

/** What an Edge Node and its Device say first; a metric of hostile name and value. */
async function join(port: number): Promise<WireClient> {
  const timestamp = Date.now();
  const bdSeq = metric({ name: "bdSeq", timestamp, type: INT64, value: [11, 0] });
  const rebirth = { name: "Node Control/Rebirth", timestamp, type: BOOLEAN } as const;
  const client = await WireClient.connect(port, {
    clientIdentifier: "edge",
    will: {
      topic: name(`spBv1.0/Plant/NDEATH/${HOSTILE}`),
      payload: payload({ timestamp, metrics: [bdSeq] }),
      qos: 1,
    },
  });
  const born = { name: HOSTILE, alias: 1, timestamp, type: STRING } as const;
  const metrics = [bdSeq, metric({ ...rebirth, value: [14, false] })];
  const nbirth = payload({ timestamp, seq: 0, metrics });
  await send(client, `spBv1.0/Plant/NBIRTH/${HOSTILE}`, nbirth);
  const value = metric({ ...born, value: [15, "before"] });
  const dbirth = payload({ timestamp, seq: 1, metrics: [value] });
  await send(client, `spBv1.0/Plant/DBIRTH/${HOSTILE}/Pump 1`, dbirth);
  return client;
}

Deno.test("the plant stands on the dashboard as it is, and its names are text", async () => {
  await using broker = await ApiBroker.start({
    sparkplug: { mode: "monitor", lastValues: true, recordedMessagesMax: 100 },
  });
  await using chromium = await Chromium.start();
  const { port, server } = broker.broker;
  const address = `http://127.0.0.1:${server.adminAddress!.port}/`;
  const page = await chromium.open();
  await page.visit(`${address}#/sparkplug`);
  await page.type("#token", broker.tokens.read);
  await page.press("button[type=submit]");
  await page.untilText("No Edge Node has been born");
  const node = await join(port);
  await page.untilText("1 of 1 nodes online");
  await page.press(".tree-row", "<img");
  await page.press(".tree-row", "Pump 1");
  await page.untilShown("tbody th", HOSTILE);
  await page.untilShown("tbody td", "before");
  const timestamp = Date.now();
  const metrics = [metric({ alias: 1, timestamp, value: [15, HOSTILE] })];
  // With a gap in seq: the value is shown, and so is the breach.
  const topic = `spBv1.0/Plant/DDATA/${HOSTILE}/Pump 1`;
  await send(node, topic, payload({ timestamp, seq: 9, metrics }));
  await page.untilShown("tbody td", HOSTILE);
  await page.press(".tree-row", "<img");
  await page.untilShown(".violations code", "tck-id-payloads-ddata-seq-inc");
  await page.press("details.message summary", "DDATA");
  await page.untilShown("details[open] .payload", "<img src=x");
  await page.press(".segments button", "Conformance");
  await page.press(".row-button", "Plant/");
  await page.untilShown("dialog .violations code", "tck-id-payloads-ddata-seq-inc");
  await page.press("dialog .icon-button");
  await page.press(".segments button", "Plant");
  node[Symbol.dispose]();
  await page.untilText("0 of 1 nodes online");
  assertEquals(page.complaints, []);
  assertEquals(page.requests.filter((url) => !url.startsWith(address)), []);
  assertEquals(await page.evaluate("document.querySelectorAll('img, body script').length"), 0);
});

async function send(client: WireClient, topic: string, bytes: Uint8Array): Promise<void> {
  await client.send({ ...publishPacket(topic, ""), payload: bytes });
}
