/** Listeners and certificates as the admin API shows them. */
import type { ListenerDetails } from "./_server_listeners.ts";
import { nameOf } from "./_server_listeners.ts";
import type { Turns } from "./_server_turns.ts";
import type { ApiCertificate, ApiListener } from "./admin/mod.ts";
import { type CertificateFacts, certificateFacts } from "./security/mod.ts";

const DAY_MS = 86_400_000;

/** The listeners in the order of the configuration, with the connections of each. */
export function apiListeners(
  details: readonly ListenerDetails[],
  { broker }: Pick<Turns, "broker">,
): readonly ApiListener[] {
  const connections = new Map<string, number>();
  for (const { origin } of broker.connections()) {
    connections.set(origin.listener, (connections.get(origin.listener) ?? 0) + 1);
  }
  return details.map(({ purpose, config, address, tls, connections: own }) => ({
    address: nameOf(address),
    configured: config.address,
    purpose,
    transport: purpose === "admin" ? "http" : config.websocketPath === "" ? "tcp" : "websocket",
    websocket_path: config.websocketPath === "" ? null : config.websocketPath,
    anonymous: config.allowAnonymous,
    connections: own ?? connections.get(config.address) ?? 0,
    tls: tls === null ? null : {
      version_min: config.tlsVersionMin,
      client_certificates: config.clientCertificates,
      not_after: Number.isFinite(tls.notAfterMs) ? new Date(tls.notAfterMs).toISOString() : null,
      handshaking: tls.statistics.handshaking,
      established: tls.statistics.established,
      resumed: tls.statistics.resumed,
      refused: Object.fromEntries(tls.statistics.refused),
    },
  }));
}

/** What they use, each file once with all who use it; what ends first comes first. */
export function apiCertificates(
  details: readonly ListenerDetails[],
  nowMs: number,
): readonly ApiCertificate[] {
  const found = new Map<string, ApiCertificate & { used_by: string[] }>();
  for (const { config, tls } of details) {
    for (const facts of tls === null ? [] : certificateFacts(tls.material)) {
      const file = fileOf(config, facts);
      const key = JSON.stringify([facts.kind, file, facts.fingerprint, facts.issuer]);
      const known = found.get(key);
      if (known === undefined) {
        found.set(key, { ...shown(facts, nowMs), file, used_by: [config.address] });
      } else if (!known.used_by.includes(config.address)) known.used_by.push(config.address);
    }
  }
  return [...found.values()].sort((a, b) => (a.days_left ?? Infinity) - (b.days_left ?? Infinity));
}

function fileOf(
  { certificateFile, caFile, crlFile }: ListenerDetails["config"],
  { kind }: CertificateFacts,
): string {
  return kind === "server" ? certificateFile : kind === "authority" ? caFile : crlFile;
}

function shown(
  { kind, subject, issuer, serial, fingerprint, notBeforeMs, notAfterMs, revoked }:
    CertificateFacts,
  nowMs: number,
): Omit<ApiCertificate, "file" | "used_by"> {
  const ends = Number.isFinite(notAfterMs);
  return {
    kind,
    subject,
    issuer,
    serial,
    fingerprint,
    not_before: new Date(notBeforeMs).toISOString(),
    not_after: ends ? new Date(notAfterMs).toISOString() : null,
    days_left: ends ? Math.floor((notAfterMs - nowMs) / DAY_MS) : null,
    revoked,
  };
}
