/** Keys of the table `admin`. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { adminBroker, ask } from "../admin/_http_client.ts";
import { TestBroker } from "../support/test_broker.ts";
import type { KeyCases } from "./_cases.ts";

/** The cases by path. */
export const adminCases: KeyCases = {
  "admin.address": async () => {
    await using off = await TestBroker.start();
    assertEquals(off.server.adminAddress, null);
    await using on = await TestBroker.start({ admin: { address: "127.0.0.2:0" } });
    assertEquals(on.server.adminAddress?.hostname, "127.0.0.2");
  },
  "admin.metrics_token_sha256": async () => {
    // Of "secret".
    const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    for (const [metricsTokenSha256, without] of [["", 200], [hash, 401]] as const) {
      await using broker = await adminBroker({ admin: { metricsTokenSha256 } });
      assertEquals((await ask(broker, "/metrics")).status, without);
      const headers = { Authorization: "Bearer secret" };
      const { status, body } = await ask(broker, "/metrics", { headers });
      assertEquals(status, 200);
      assertStringIncludes(body, "relayq_build_info");
    }
  },
  "admin.hosts": async () => {
    const headers = { Host: "gateway.plant:9883" };
    for (const [hosts, status] of [["", 421], ["other gateway.plant", 200]] as const) {
      await using broker = await adminBroker({ admin: { hosts } });
      assertEquals((await ask(broker, "/healthz", { headers })).status, status);
    }
  },
};
