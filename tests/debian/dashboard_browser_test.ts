/** The dashboard in Chromium, on a real broker, with clients that mean no good. */
import { assert, assertEquals } from "@std/assert";
import { ApiBroker } from "../admin/_api.ts";
import { Chromium, type Page } from "../support/chromium.ts";
import { filter, name, payload, WireClient } from "../support/wire_client.ts";

/** What would run if any of it became markup. */
const HOSTILE = `<img src=x onerror="document.title='owned'"><svg onload=owned()><script>owned()`;
const SCREENS = [
  { width: 1280, height: 800 },
  { width: 820, height: 1180, touch: true, dark: true },
  { width: 390, height: 844, touch: true },
];
const VIEWS = [
  "overview",
  "clients",
  "sessions",
  "topics",
  "sparkplug",
  "dead-letters",
  "log",
  "certificates",
  "limits",
  "about",
];

/** The address of the page. */
function addressOf({ broker }: ApiBroker): string {
  return `http://127.0.0.1:${broker.server.adminAddress!.port}/`;
}

/** Types a token, and waits until the page has figures. */
async function signIn(
  page: Page,
  broker: ApiBroker,
  as: "read" | "operate" | "admin",
): Promise<void> {
  await page.visit(addressOf(broker));
  await page.type("#token", broker.tokens[as]);
  await page.press("button[type=submit]");
  await page.until("document.body.dataset.live === 'live'");
}

/** Goes to a view. */
async function show(page: Page, view: string): Promise<void> {
  await page.evaluate(`location.hash = "#/${view}"`);
  await page.until(`document.querySelector('[aria-current]')?.hash === "#/${view.split("/")[0]}"`);
}

/** Nothing that a client sent has become anything but text, and nothing was asked of others. */
async function assertClean(page: Page, broker: ApiBroker): Promise<void> {
  assertEquals(page.complaints, []);
  const own = addressOf(broker);
  assertEquals(page.requests.filter((url) => !url.startsWith(own)), []);
  assertEquals(await page.evaluate("document.querySelectorAll('img, iframe, object').length"), 0);
  assertEquals(await page.evaluate("document.querySelectorAll('body script').length"), 0);
  assert(!String(await page.evaluate("document.title")).includes("owned"));
}

Deno.test("the dashboard in a browser", async (test) => {
  await using broker = await ApiBroker.start({ log: { level: "info" } });
  await using chromium = await Chromium.start();
  const { port } = broker.broker;
  const page = await chromium.open();

  await test.step("nobody sees anything without a token, and a wrong one is not right", async () => {
    await page.visit(addressOf(broker));
    await page.type("#token", "wrong");
    await page.press("button[type=submit]");
    await page.untilText("the token is not right");
    assertEquals(await page.evaluate("document.querySelector('.side')"), null);
    // The browser itself complains of the answer 401.
    assertEquals(page.complaints.length, 1);
    page.complaints.length = 0;
  });

  await test.step("a token opens it, and is kept for this tab alone", async () => {
    await signIn(page, broker, "admin");
    await page.untilText("adminer");
    await page.visit(addressOf(broker));
    await page.until("document.body.dataset.live === 'live'");
    assertEquals(await page.evaluate("localStorage.length"), 0);
    const kept = await page.evaluate("Object.values(sessionStorage).join()");
    assertEquals(kept, broker.tokens.admin);
    const other = await chromium.open();
    await other.visit(addressOf(broker));
    await other.until("document.querySelector('#token') !== null");
  });

  await test.step("figures change when something happens", async () => {
    await show(page, "overview");
    const retained = "[...document.querySelectorAll('.overview-facts dl > div')]" +
      ".find((fact) => fact.textContent.startsWith('Retained'))?.querySelector('dd').textContent";
    await page.until(`${retained} === "0"`);
    using client = await WireClient.connect(port, { clientIdentifier: "publisher" });
    await client.publish("plant/line 1/state", '{"running":true}', { qos: 1, retain: true });
    await page.until(`${retained} === "1"`);
    await page.until("document.querySelectorAll('.plot canvas').length === 6");
    const received = "document.querySelector('.station-value').textContent";
    for (let i = 0; await page.evaluate(received) === "0"; i++) {
      assert(i < 500, "the rate of messages stays 0");
      for (let j = 0; j < 20; j++) await client.publish("plant/line 1/speed", `${i}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await assertClean(page, broker);
  });

  await test.step("names of clients are text, are found, and their bearers disconnected", async () => {
    const will = { topic: name(`w/${HOSTILE}`), payload: payload(HOSTILE) };
    using evil = await WireClient.connect(port, { clientIdentifier: HOSTILE, will });
    await evil.subscribe(`s/${HOSTILE}`);
    using other = await WireClient.connect(port, { clientIdentifier: "press 7" });
    await show(page, "clients");
    await page.untilShown(".row-button", HOSTILE);
    await page.type("main input[type=search]", "press");
    await page.until("document.querySelectorAll('tbody tr').length === 1");
    await page.type("main input[type=search]", "onerror");
    await page.until(
      `document.querySelector('.row-button')?.textContent === ${JSON.stringify(HOSTILE)}`,
    );
    await page.press(".row-button");
    await page.untilShown("dialog code", `w/${HOSTILE}`);
    await page.untilShown("dialog code", `s/${HOSTILE}`);
    await page.press("dialog button", "Disconnect");
    await page.press("dialog.question button", "Disconnect");
    await evil.expectClosed();
    await page.untilShown(".empty-title", "Nothing found");
    await other.send({ type: "PINGREQ" });
    await other.expect("PINGRESP");
    await assertClean(page, broker);
  });

  await test.step("a ban keeps out, until it is lifted", async () => {
    using banned = await WireClient.connect(port, { clientIdentifier: "press 8" });
    await show(page, "clients/press 8");
    await page.press(".row-button", "press 8");
    await page.press("dialog button", "Ban");
    await page.press("dialog.question button", "Ban");
    await banned.expectClosed();
    using again = await WireClient.open(port);
    assertEquals((await again.sendConnect({ clientIdentifier: "press 8" })).returnCode, 5);
    await page.press(".segments button", "Bans");
    await page.press("td .button", "Lift");
    await page.press("dialog.question button", "Lift");
    await page.untilShown(".empty-title", "Nobody is banned");
    using back = await WireClient.open(port);
    assertEquals((await back.sendConnect({ clientIdentifier: "press 8" })).returnCode, 0);
  });

  await test.step("topics and payloads are text; what is deleted is gone", async () => {
    using client = await WireClient.connect(port, { clientIdentifier: "topics" });
    await client.publish(`plant/${HOSTILE}`, HOSTILE, { qos: 1, retain: true });
    await show(page, "topics");
    await page.press(".tree-row", "plant");
    await page.press(".tree-row", "<img");
    await page.untilShown(".detail .payload", HOSTILE);
    await page.press(".segments button", "Hex");
    await page.untilShown(".detail .payload", "3c 69 6d 67");
    await page.press(".detail button", "Delete");
    await page.press("dialog.question button", "Delete");
    await page.untilShown(".detail .empty-title", "Deleted");
    await client.subscribe("plant/#");
    assertEquals((await client.receiveMessage()).topic, "plant/line 1/state");
    await client.expectSilence();
    await assertClean(page, broker);
  });

  await test.step("whoever has no mouse gets everywhere", async () => {
    const focused = "document.activeElement.textContent";
    // To another place of the same page it would not be loaded anew.
    await page.visit("about:blank");
    await page.visit(`${addressOf(broker)}#/topics`);
    await page.until("document.querySelector('.tree [role=treeitem]') !== null");
    await page.key("Tab");
    assertEquals(await page.evaluate(focused), "Skip to content");
    await page.key("Enter");
    assertEquals(await page.evaluate(focused), "Topics");
    for (const key of ["Tab", "Tab"]) await page.key(key);
    const item = "document.activeElement.getAttribute('aria-label')";
    assertEquals(await page.evaluate(item), "plant");
    await page.key("ArrowRight");
    await page.until("document.querySelectorAll('.tree [role=treeitem]').length > 1");
    await page.key("ArrowDown");
    assertEquals(await page.evaluate(item), "line 1");
    await page.key("Enter");
    await page.until("document.querySelectorAll('.tree [role=treeitem]').length > 2");
    await page.key("ArrowRight");
    assertEquals(await page.evaluate(item), "state");
    await page.key("Enter");
    await page.untilShown(".detail .payload", "running");
    await page.key("ArrowLeft");
    assertEquals(await page.evaluate(item), "line 1");
    using _client = await WireClient.connect(port, { clientIdentifier: "keys" });
    await show(page, "clients");
    await page.until("document.querySelector('.row-button') !== null");
    await page.evaluate("document.querySelector('.row-button').focus()");
    await page.key("Enter");
    await page.until("document.querySelector('dialog[open]') !== null");
    await page.key("Escape");
    await page.until("document.querySelector('dialog') === null");
    await show(page, "topics");
  });

  await test.step("a message is published, and somebody gets it", async () => {
    using client = await WireClient.connect(port, { clientIdentifier: "listener" });
    await client.subscribe("orders/#", 1);
    await page.type(".publish input[type=text]", "orders/1");
    await page.type(".publish textarea", HOSTILE);
    await page.press(".publish .segments button", "QoS 1");
    await page.press(".publish button", "Publish");
    const { topic, payload: bytes } = await client.receiveMessage();
    assertEquals([topic, new TextDecoder().decode(bytes)], ["orders/1", HOSTILE]);
    await page.untilShown(".toast", "for 1 subscriber");
  });

  await test.step("dead letters are shown, replayed and purged", async () => {
    const session = { clientIdentifier: "historian", cleanSession: false };
    const client = await WireClient.connect(port, session);
    await client.subscribe("alarm/#", 1);
    await client.disconnect();
    using publisher = await WireClient.connect(port, { clientIdentifier: "alarms" });
    for (const text of [HOSTILE, "two"]) {
      await publisher.publish(`alarm/${HOSTILE}`, text, { qos: 1 });
    }
    await show(page, "sessions/historian");
    await page.press(".row-button", "historian");
    await page.press("dialog button", "Delete");
    await page.press("dialog.question button", "Delete");
    await show(page, "dead-letters");
    await page.until("document.querySelectorAll('tbody tr').length === 2");
    await publisher.subscribe(filter("alarm/#"), 1);
    await page.press(".row-button");
    await page.untilShown("dialog .payload", "two");
    await page.press("dialog button", "Replay");
    assertEquals(new TextDecoder().decode((await publisher.receiveMessage()).payload), "two");
    await page.until("document.querySelectorAll('tbody tr').length === 1");
    await page.press(".bar button", "Purge");
    await page.press("dialog.question button", "Purge");
    await page.untilShown(".empty-title", "No dead letters");
    await assertClean(page, broker);
  });

  await test.step("the log is live, filtered and paused", async () => {
    await show(page, "log");
    await page.untilText("lines");
    using _client = await WireClient.connect(port, { clientIdentifier: `log ${HOSTILE}` });
    await page.untilShown(".log-line", "<img src=x");
    await page.press(".bar button", "Pause");
    using _other = await WireClient.connect(port, { clientIdentifier: "while paused" });
    await page.untilText("more since");
    assertEquals(await page.evaluate("document.body.innerText.includes('while paused')"), false);
    await page.press(".bar button", "Go on");
    await page.untilShown(".log-line", "while paused");
    await page.type("main input[type=search]", "while paused");
    await page.until(`[...document.querySelectorAll('.log-line')]
      .every((line) => line.textContent.includes("while paused"))`);
    await assertClean(page, broker);
  });

  await test.step("every view fits every screen, and has nothing to complain of", async () => {
    for (const screen of SCREENS) {
      const other = await chromium.open(screen);
      await signIn(other, broker, "admin");
      for (const view of VIEWS) {
        await show(other, view);
        await other.until("document.querySelector('main .loading') === null");
        const root = "document.documentElement";
        assertEquals(
          [view, await other.evaluate(`${root}.scrollWidth <= ${root}.clientWidth`)],
          [view, true],
        );
        assertEquals(await other.evaluate("document.querySelector('.failure')"), null, view);
      }
      await assertClean(other, broker);
    }
  });

  await test.step("what a role may not do says so, and does nothing", async () => {
    const reader = await chromium.open();
    await signIn(reader, broker, "read");
    await show(reader, "dead-letters");
    await reader.press(".button[aria-disabled=true]", "Purge");
    await reader.untilShown(".toast", "Needs the role “admin”; this token has “read”.");
    assertEquals(await reader.evaluate("document.querySelector('dialog')"), null);
    await show(reader, "about");
    await reader.untilText("Only the role “admin” may read it");
    await assertClean(reader, broker);
  });

  await test.step("the switch turns the colours, and they stay", async () => {
    const background = "getComputedStyle(document.documentElement).backgroundColor";
    const before = await page.evaluate(background);
    await page.press("[aria-label='Use the dark theme']");
    const dark = await page.evaluate(background);
    assert(dark !== before);
    await page.visit(addressOf(broker));
    await page.until("document.body.dataset.live === 'live'");
    assertEquals(await page.evaluate(background), dark);
  });

  await test.step("who signs out has no token any more", async () => {
    await page.press("[aria-label='Sign out']");
    await page.until("document.querySelector('#token') !== null");
    assertEquals(await page.evaluate("sessionStorage.length"), 0);
  });
});
