/** What the banner says of who gets to a listener. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { banner } from "../../src/cli/banner.ts";
import { type Config, DEFAULT_CONFIG, type ListenerConfig } from "../../src/config/mod.ts";

function shown(changes: Partial<ListenerConfig>): string {
  const listeners = [{ ...DEFAULT_CONFIG.listeners[0]!, ...changes }];
  const bound = { transport: "tcp", hostname: "127.0.0.1", port: 1883 } as const;
  return banner({ ...DEFAULT_CONFIG, listeners }, { addresses: [bound], admin: null });
}

Deno.test("the banner says from where a listener can be reached", () => {
  assertStringIncludes(shown({}), "anonymous, reachable from this machine only\n");
  assertStringIncludes(shown({ address: "0.0.0.0:1883" }), "reachable from THE NETWORK\n");
  assertStringIncludes(
    shown({ proxyProtocol: "v2", trustedProxies: "10.0.0.2 10.0.0.3" }),
    "anonymous, through the proxies 10.0.0.2 10.0.0.3\n",
  );
});

Deno.test("the banner says whether there is an admin listener, and who gets to it", () => {
  function adminLine(changes: Partial<Config["admin"]>, admin: Deno.NetAddr | null): string {
    const config = { ...DEFAULT_CONFIG, admin: { ...DEFAULT_CONFIG.admin, ...changes } };
    const lines = banner(config, { addresses: [], admin }).split("\n");
    return lines.find((line) => line.startsWith("  admin "))!;
  }
  const bound = { transport: "tcp", hostname: "127.0.0.1", port: 4000 } as const;
  assertEquals(adminLine({}, null), "  admin        off (admin.address)");
  assertEquals(
    adminLine({ address: "127.0.0.1:0" }, bound),
    "  admin        http://127.0.0.1:4000   /metrics /healthz /readyz, " +
      "reachable from this machine only",
  );
  assertStringIncludes(
    adminLine({ address: "0.0.0.0:9883", metricsTokenSha256: "0".repeat(64) }, bound),
    "http://0.0.0.0:9883   /metrics (bearer token) /healthz /readyz, reachable from THE NETWORK",
  );
  assertStringIncludes(
    adminLine({ address: "0.0.0.0:9883", certificateFile: "c.pem", tokensFile: "tokens" }, bound),
    "https://0.0.0.0:9883   /metrics /healthz /readyz /api/v1, reachable from THE NETWORK",
  );
});
