import type { ListenerConfig } from "./config.ts";
import { canonicalListenAddress, isLoopbackHost, parseListenAddress } from "./listen_address.ts";
import { quote } from "./_text.ts";

/** What is wrong with the listener at `index`; `firstIndex` is the one it clashes with. */
export interface ListenerProblem {
  readonly index: number;
  readonly firstIndex?: number;
  readonly problem: string;
}

/** Checks what must hold of listeners beyond their single keys; `hasPasswords`: clients are asked. */
export function listenerProblems(
  listeners: readonly ListenerConfig[],
  { hasPasswords }: { hasPasswords: boolean },
): ListenerProblem[] {
  const problems: ListenerProblem[] = [];
  const indexes = new Map<string, number>();
  for (const [index, listener] of listeners.entries()) {
    const { address, allowAnonymous } = listener;
    const parsed = parseListenAddress(address);
    if ("problem" in parsed) {
      problems.push({ index, problem: `cannot listen on ${quote(address)}: ${parsed.problem}` });
      continue;
    }
    for (const problem of tlsProblems(listener)) problems.push({ index, problem });
    for (const problem of websocketProblems(listener)) problems.push({ index, problem });
    const proxyProblem = proxyProblemOf(listener);
    if (proxyProblem !== null) problems.push({ index, problem: proxyProblem });
    const isGuarded = hasPasswords || listener.clientCertificates === "required";
    const reach = allowAnonymous || isGuarded ? null : reachOf(listener, parsed.host);
    if (reach !== null) {
      const problem =
        `${
          quote(address)
        } can be reached from other machines and nobody is asked for a password: set ` +
        `security.password_file, or allow_anonymous = true to let everybody in${reach}`;
      problems.push({ index, problem });
    }
    const canonical = canonicalListenAddress(parsed);
    const firstIndex = indexes.get(canonical);
    if (firstIndex === undefined) indexes.set(canonical, index);
    else if (parsed.port !== 0) {
      const problem = `another listener has the address ${quote(address)} already`;
      problems.push({ index, firstIndex, problem });
    }
  }
  return problems;
}

/**
 * Null where no client on another machine gets to it; else what there is to do about that besides. A
 * proxy on this machine brings them to a loopback address, too.
 */
function reachOf({ proxyProtocol }: ListenerConfig, host: string): string | null {
  if (proxyProtocol !== "off") return "";
  return isLoopbackHost(host) ? null : ", or use a loopback address";
}

/** Who believes everybody's PROXY header believes whatever address an attacker likes to have. */
function proxyProblemOf({ proxyProtocol, trustedProxies }: ListenerConfig): string | null {
  const trustsNobody = trustedProxies.trim() === "";
  if (proxyProtocol !== "off" && trustsNobody) {
    return `proxy_protocol = "${proxyProtocol}" needs trusted_proxies: whose header is believed`;
  }
  if (proxyProtocol !== "off" || trustsNobody) return null;
  return "trusted_proxies has no effect while proxy_protocol is off";
}

/** What must hold of the keys about WebSocket. */
function websocketProblems({ websocketPath: path, websocketOrigins }: ListenerConfig): string[] {
  const problems: string[] = [];
  if (path !== "" && !/^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/.test(path)) {
    problems.push(`websocket_path = ${quote(path)} is no path: "/", and no blank, ? or # in it`);
  }
  const origins = websocketOrigins.split(/\s+/).filter((origin) => origin !== "");
  if (path === "" && origins.length > 0) {
    problems.push("websocket_origins has no effect without websocket_path");
  }
  for (const origin of origins) {
    if (origin === "*" || /^https?:\/\/[^/?#@]+$/i.test(origin)) continue;
    const example = '"https://hmi.plant" or "http://10.0.0.7:8080"';
    problems.push(`websocket_origins: ${quote(origin)} is no origin such as ${example}`);
  }
  return problems;
}

/** What must hold between the keys about TLS. */
function tlsProblems(listener: ListenerConfig): string[] {
  const { certificateFile, keyFile, clientCertificates, caFile } = listener;
  const problems: string[] = [];
  if ((certificateFile === "") !== (keyFile === "")) {
    problems.push("certificate_file and key_file belong together: set both or none");
  }
  if (clientCertificates === "none") return [...problems, ...idleProblems(listener)];
  if (certificateFile === "") {
    problems.push(`client_certificates = "${clientCertificates}" needs TLS: set certificate_file`);
  }
  if (caFile === "") {
    problems.push(`client_certificates = "${clientCertificates}" needs ca_file to judge them by`);
  }
  return problems;
}

/** Who says by what certificates are judged, and forgets to ask for any, would believe himself safe. */
function idleProblems({ caFile, crlFile, certificatePins }: ListenerConfig): string[] {
  const idle = Object.entries({
    ca_file: caFile,
    crl_file: crlFile,
    certificate_pins: certificatePins,
  }).filter(([, value]) => value !== "");
  return idle.map(([name]) =>
    `${name} has no effect while nobody is asked for a certificate: ` +
    'set client_certificates = "required" or "optional"'
  );
}
