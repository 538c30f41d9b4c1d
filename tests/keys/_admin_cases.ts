/** Keys of the table `admin`. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { adminBroker, ask } from "../admin/_http_client.ts";
import { ApiBroker } from "../admin/_api.ts";
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
  "admin.tokens_file": async () => {
    await using api = await ApiBroker.start();
    assertEquals((await api.call("GET /api/v1/status", { as: "read" })).status, 200);
    await using closed = await ApiBroker.start({ admin: { tokensFile: "" } });
    assertEquals((await closed.call("GET /api/v1/status", { as: "read" })).status, 401);
  },
  "admin.requests_per_second": async () => {
    for (const [requestsPerSecond, last] of [[0, 200], [1, 429]] as const) {
      await using api = await ApiBroker.start({ admin: { requestsPerSecond } });
      const calls = Array.from({ length: 12 }, () => api.call("GET /api/v1/status"));
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      assertEquals(statuses.includes(429), last === 429);
    }
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
