/** TLS as the configuration has it, for every listener that speaks it. */
import type { ListenerConfig } from "./config/mod.ts";
import { type CertificateCrypto, loadTlsFiles, parsePins } from "./security/mod.ts";
import type { TlsSettings } from "./transport/mod.ts";

/** The keys about TLS. */
export type TlsConfig = Pick<
  ListenerConfig,
  | "certificateFile"
  | "keyFile"
  | "tlsVersionMin"
  | "clientCertificates"
  | "caFile"
  | "crlFile"
  | "crlExpired"
  | "crlMissing"
  | "certificateClock"
  | "certificatePins"
  | "identityFrom"
  | "handshakeTimeoutMs"
  | "handshakesMax"
>;

/** Reads the files; gives the reason where they cannot be used. */
export async function tlsSettings(
  config: TlsConfig,
  { crypto, warn }: { crypto: CertificateCrypto; warn: (warning: string) => void },
): Promise<TlsSettings | { problem: string }> {
  const { certificateFile, keyFile, caFile, crlFile } = config;
  const paths = {
    certificateFile,
    keyFile,
    caFile: caFile === "" ? null : caFile,
    crlFiles: crlFile === "" ? [] : [crlFile],
  };
  const material = await loadTlsFiles(paths, { crypto, nowMs: Date.now() });
  if ("problem" in material) return material;
  for (const warning of material.warnings) warn(warning);
  const pins = parsePins(config.certificatePins.split(/\s+/).filter((pin) => pin !== ""));
  if ("problem" in pins) return pins;
  return {
    material,
    pins,
    policy: {
      clientCertificate: config.clientCertificates,
      certificateClock: config.certificateClock,
      crlExpired: config.crlExpired,
      crlMissing: config.crlMissing,
      identityFrom: config.identityFrom,
    },
    minVersion: `TLSv${config.tlsVersionMin}`,
    alpn: [],
    handshakeTimeoutMs: config.handshakeTimeoutMs,
    handshakesMax: config.handshakesMax,
  };
}

/** Paths of the files. */
export function filesOf(
  { certificateFile, keyFile, caFile, crlFile }: Pick<
    TlsConfig,
    "certificateFile" | "keyFile" | "caFile" | "crlFile"
  >,
): string[] {
  return [certificateFile, keyFile, caFile, crlFile].filter((path) => path !== "");
}
