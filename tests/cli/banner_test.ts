/** What the banner says of who gets to a listener. */
import { assertStringIncludes } from "@std/assert";
import { banner } from "../../src/cli/banner.ts";
import { DEFAULT_CONFIG, type ListenerConfig } from "../../src/config/mod.ts";

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
