/** Keys about who may connect, and how often. */
import { assert, assertEquals } from "@std/assert";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { isLetIn, refusals } from "../support/door.ts";
import { proxyV1, proxyV2 } from "../support/proxy_header.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

/** Which of 127.0.0.1, 127.0.0.2 and 127.0.0.3 are let in. */
async function whoIsLetIn(
  changes: ConfigChanges,
  listener: Partial<ListenerConfig> = {},
): Promise<number[]> {
  await using broker = await TestBroker.start(changes, { listener });
  const letIn: number[] = [];
  for (const host of [1, 2, 3]) {
    if (await isLetIn(broker, { from: `127.0.0.${host}` })) letIn.push(host);
  }
  return letIn;
}

/** How many connections one address opens until it is refused; stops at `most`. */
async function untilRefused(
  connectionRate: NonNullable<ConfigChanges["connectionRate"]>,
  most: number,
): Promise<number> {
  await using broker = await TestBroker.start({
    connectionRate: { exempt: "", ...connectionRate },
  });
  for (let opened = 0; opened < most; opened++) {
    if (!await isLetIn(broker)) return opened;
  }
  return most;
}

/** How long it takes at least until so many connections are accepted, in ms. */
async function timeToAccept(
  connectionRate: NonNullable<ConfigChanges["connectionRate"]>,
  count: number,
): Promise<number> {
  await using broker = await TestBroker.start({ connectionRate });
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) assert(await isLetIn(broker));
  return performance.now() - startedMs;
}

const rateCases: KeyCases = {
  "connection_rate.per_second": async () => {
    assert(await timeToAccept({ perSecond: 20, burst: 1 }, 8) >= 6 * 50);
  },
  "connection_rate.burst": async () => {
    // One a second: beyond a burst of 3 this would take seconds, and with 1 it does.
    assert(await timeToAccept({ perSecond: 1, burst: 1 }, 4) >= 2_000);
    await using broker = await TestBroker.start({ connectionRate: { perSecond: 1, burst: 30 } });
    for (let i = 0; i < 30; i++) assert(await isLetIn(broker));
    assertEquals(broker.log.join("").includes("connection rate: "), false);
  },
  "connection_rate.per_address_per_second": async () => {
    const rate = { perAddressPerSecond: 1, perAddressBurst: 2 };
    assert(await untilRefused(rate, 1_000) < 1_000);
    assertEquals(await untilRefused({ ...rate, perAddressPerSecond: 0 }, 50), 50);
  },
  "connection_rate.per_address_burst": async () => {
    const atLeast = await untilRefused({ perAddressPerSecond: 1, perAddressBurst: 20 }, 1_000);
    assert(atLeast >= 20 && atLeast < 1_000);
  },
  "connection_rate.exempt": async () => {
    const rate = { perAddressPerSecond: 1, perAddressBurst: 1 };
    assertEquals(await untilRefused({ ...rate, exempt: "10.0.0.1 127.0.0.0/8" }, 50), 50);
  },
};

/** The cases by path. */
export const doorCases: KeyCases = {
  ...rateCases,
  "ip.allow": async () => {
    assertEquals(await whoIsLetIn({ ip: { allow: "127.0.0.2 127.0.0.3" } }), [2, 3]);
  },
  "ip.block": async () => {
    assertEquals(await whoIsLetIn({ ip: { block: "127.0.0.2/31" } }), [1]);
  },
  "listeners.ip_allow": async () => {
    assertEquals(await whoIsLetIn({}, { ipAllow: "127.0.0.3" }), [3]);
  },
  "listeners.ip_block": async () => {
    assertEquals(await whoIsLetIn({}, { ipBlock: "127.0.0.3" }), [1, 2]);
  },
  "listeners.proxy_protocol": async () => {
    const v1 = proxyV1("203.0.113.7");
    const v2 = proxyV2([203, 0, 113, 7]);
    for (const proxyProtocol of ["off", "v1", "v2", "any"] as const) {
      const listener = { proxyProtocol, trustedProxies: "127.0.0.1" };
      await using broker = await TestBroker.start({}, { listener });
      const letIn = [
        await isLetIn(broker),
        await isLetIn(broker, { preamble: v1 }),
        await isLetIn(broker, { preamble: v2 }),
      ];
      const off = proxyProtocol === "off";
      assertEquals(letIn, [off, !off && proxyProtocol !== "v2", !off && proxyProtocol !== "v1"]);
    }
  },
  "listeners.trusted_proxies": async () => {
    const listener = { proxyProtocol: "any", trustedProxies: "127.0.0.2/31" } as const;
    await using broker = await TestBroker.start({}, { listener });
    const preamble = proxyV1("203.0.113.7");
    for (const [from, expected] of [["127.0.0.1", false], ["127.0.0.3", true]] as const) {
      assertEquals(await isLetIn(broker, { from, preamble }), expected);
    }
    using client = await WireClient.openFrom("127.0.0.1", broker.port);
    await client.expectClosed();
    assertEquals(refusals(broker), Array(2).fill("127.0.0.1 proxy-protocol"));
  },
};
