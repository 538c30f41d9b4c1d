/** The dashboard outlives its broker. */
import { assertEquals } from "@std/assert";
import { ApiBroker, writeTokens } from "../admin/_api.ts";
import { Chromium } from "../support/chromium.ts";

Deno.test("the page says that the broker is away, and goes on when it is back", async () => {
  await using chromium = await Chromium.start();
  const page = await chromium.open();
  const first = await ApiBroker.start();
  const { port } = first.broker.server.adminAddress!;
  await page.visit(`http://127.0.0.1:${port}/`);
  await page.type("#token", first.tokens.read);
  await page.press("button[type=submit]");
  await page.until("document.body.dataset.live === 'live'");
  const { tokens } = first;
  await first[Symbol.asyncDispose]();
  await page.until("document.body.dataset.live === 'offline'");
  await page.untilText("What you see is of before");
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const tokensFile = `${directory}/tokens`;
    await writeTokens(tokensFile, tokens);
    const admin = { address: `127.0.0.1:${port}`, tokensFile };
    await using second = await ApiBroker.start({ admin });
    await page.until("document.body.dataset.live === 'live'");
    assertEquals(await page.evaluate("document.querySelector('.offline').hidden"), true);
    // Another broker, that does not know the token: the page asks for one.
    await Deno.writeTextFile(tokensFile, "");
    await second.broker.server.reload();
    await page.until("document.querySelector('#token') !== null");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
