/** What a person sees at the start. */
import {
  type Config,
  isLoopbackHost,
  type ListenerConfig,
  parseListenAddress,
} from "../config/mod.ts";
import { VERSION } from "./version.ts";

/** Where the broker listens, what is open and what is closed, and what is kept. */
export function banner(
  config: Config,
  { addresses, admin }: { addresses: readonly Deno.NetAddr[]; admin: Deno.NetAddr | null },
): string {
  const lines = [`RelayQ ${VERSION}, MQTT 3.1.1`, ""];
  const { passwordFile, accessFile } = config.security;
  config.listeners.forEach((listener, index) => {
    const { address } = listener;
    const parsed = parseListenAddress(address);
    const bound = addresses[index];
    if ("problem" in parsed || bound === undefined) return;
    const shown = parsed.port === 0 ? `${parsed.host}:${bound.port}` : address;
    const reach = isLoopbackHost(parsed.host) ? "this machine only" : "THE NETWORK";
    const way = listener.proxyProtocol === "off"
      ? `reachable from ${reach}`
      : `through the proxies ${listener.trustedProxies}`;
    const secured = listener.certificateFile === ""
      ? "plain TCP"
      : `TLS ${listener.tlsVersionMin} or above`;
    const { websocketPath: path } = listener;
    const how = path === "" ? secured : `WebSocket at ${path} over ${secured}`;
    lines.push(
      `  listens on   ${shown}   ${how}, ${whoIsLetIn(listener, config)}, ${way}`,
    );
  });
  const { mqtt31 } = config.protocol;
  lines.push(
    accessFile === ""
      ? `  open         publish and subscribe to everything, for every client that is let in`
      : `  access       ${accessFile}: what no rule allows is denied`,
    ...passwordFile === "" ? [] : [`  users        ${passwordFile}`],
    `  closed       MQTT 5; MQTT 3.1 ${
      mqtt31 ? "is open" : "(protocol.mqtt_3_1)"
    }; $SYS and $sparkplug are read-only`,
    config.store.kind === "memory"
      ? `  store        memory: sessions and retained messages end with this process`
      : `  store        ${config.store.dataDir}/relayq.db: ${durabilityText(config)}`,
    `  admin        ${adminText(config, admin)}`,
    `  data         ${config.store.dataDir}   (locked for this broker)`,
    "",
  );
  return lines.join("\n") + "\n";
}

function adminText({ admin }: Config, bound: Deno.NetAddr | null): string {
  const parsed = parseListenAddress(admin.address);
  if (bound === null || "problem" in parsed) return "off (admin.address)";
  const shown = parsed.port === 0 ? `${parsed.host}:${bound.port}` : admin.address;
  const reach = isLoopbackHost(parsed.host) ? "this machine only" : "THE NETWORK";
  const token = admin.metricsTokenSha256 === "" ? "" : " (bearer token)";
  const scheme = admin.certificateFile === "" ? "http" : "https";
  const api = admin.tokensFile === "" ? "" : " /api/v1";
  return `${scheme}://${shown}   /metrics${token} /healthz /readyz${api}, reachable from ${reach}`;
}

function durabilityText({ store }: Config): string {
  return store.durability === "commit"
    ? "what is acknowledged has been through fsync"
    : `a power cut takes back at most ${store.syncIntervalMs} ms of acknowledgements`;
}

function whoIsLetIn(listener: ListenerConfig, { security }: Config): string {
  if (listener.clientCertificates === "required") return "client certificate";
  const anonymous = security.passwordFile === "" || listener.allowAnonymous;
  const others = anonymous ? "anonymous" : "user name and password";
  return listener.clientCertificates === "none" ? others : `client certificate or ${others}`;
}
