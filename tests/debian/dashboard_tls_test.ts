/** The dashboard over TLS, as from another machine. */
import { assertEquals } from "@std/assert";
import { ApiBroker } from "../admin/_api.ts";
import { makeAdminPki } from "../admin/_tls_api.ts";
import { Chromium } from "../support/chromium.ts";
import { inDirectory } from "../support/waiting.ts";

Deno.test("the dashboard signs in, is live and changes things over TLS, too", async () => {
  await inDirectory(async (directory) => {
    const { server } = await makeAdminPki(directory);
    await using broker = await ApiBroker.start({ admin: server });
    await using chromium = await Chromium.start();
    const page = await chromium.open({ width: 1024, height: 768, trusting: true });
    const address = `https://127.0.0.1:${broker.broker.server.adminAddress!.port}/`;
    await page.visit(address);
    await page.type("#token", broker.tokens.operate);
    await page.press("button[type=submit]");
    await page.until("document.body.dataset.live === 'live'");
    await page.until("document.querySelectorAll('.plot canvas').length === 6");
    await page.evaluate("location.hash = '#/topics'");
    await page.type(".publish input[type=text]", "over/tls");
    await page.type(".publish textarea", "sealed");
    await page.press(".publish input[type=checkbox]");
    await page.press(".publish button", "Publish");
    await page.press(".tree-row", "over");
    await page.press(".tree-row", "tls");
    await page.untilShown(".detail .payload", "sealed");
    await page.evaluate("location.hash = '#/certificates'");
    await page.untilShown("tbody th", "CN=localhost");
    // Without a token there could be a certificate; that there is none is no complaint of ours.
    const complaints = page.complaints.filter((text) => !text.includes("status of 401"));
    assertEquals(complaints, []);
    assertEquals(page.requests.filter((url) => !url.startsWith(address)), []);
  });
});
