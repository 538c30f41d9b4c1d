/** The brokers' configurations: alike where they can be, and generous to the peer. */

import type { GuardFiles } from "./guards.ts";

/** The cipher that RelayQ's TLS prefers; Mosquitto is held to it. */
const CIPHER = "TLS_AES_256_GCM_SHA384";

/** Started by root it would become another user, who may neither read nor write our files. */
const AS_STARTED = "user root";

/**
 * `lossless`: no bound on queues, so that QoS 1 and 2 lose nothing in a flood. `stock`: the bounds a
 * broker ships with, for work in which a queue would otherwise grow until memory ends. `durable`: as
 * `lossless`, and the state is kept in a file. `sparkplug_…`: as `lossless`, in this mode of
 * Sparkplug, or aware with last values. RelayQ acknowledges what an fsync has covered;
 * Mosquitto acknowledges at once, and writes its file every half hour and at its end.
 */
export type Profile =
  | "lossless"
  | "stock"
  | "durable"
  | "sparkplug_off"
  | "sparkplug_monitor"
  | "sparkplug_strict"
  | "sparkplug_values";

/** Mosquitto: one listener, no log, TCP_NODELAY, no persistence unless the work is about it. */
export function mosquittoConfig(
  port: number,
  { profile, directory, guards }: { profile: Profile; directory: string; guards: GuardFiles },
): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    `persistence ${profile === "durable"}`,
    "log_type none",
    "set_tcp_nodelay true",
    "max_connections -1",
  ];
  if (profile === "durable") {
    lines.push(`persistence_location ${directory}/`, AS_STARTED);
  }
  if (guards.tls !== undefined) {
    const { files: { authority, server }, mutual } = guards.tls;
    lines.push(
      AS_STARTED,
      `certfile ${server.certificate}`,
      `keyfile ${server.key}`,
      "tls_version tlsv1.3",
      `ciphers_tls1.3 ${CIPHER}`,
    );
    // As RelayQ does, it makes the client's name its user name.
    if (mutual) {
      lines.push(
        `cafile ${authority}`,
        "require_certificate true",
        "use_identity_as_username true",
      );
    }
  }
  if (profile !== "stock") {
    // 0 is "no limit" for each of them.
    lines.push("max_queued_messages 0", "max_queued_bytes 0", "max_inflight_messages 0");
  }
  return lines.join("\n") + "\n";
}

/** RelayQ: one listener, only warnings in the log, room for the idle connections; the rest as shipped. */
export function relayqConfig(
  port: number,
  { profile, appended, guards }: { profile: Profile; appended: string; guards: GuardFiles },
): string {
  const listener = `[[listeners]]\naddress = "127.0.0.1:${port}"\n${relayqTls(guards)}`;
  const limits = `[limits]\nconnections_max = 12000\n`;
  const store = profile === "durable" ? `[store]\nkind = "sqlite"\n\n` : "";
  const mode = profile.startsWith("sparkplug_") ? profile.slice("sparkplug_".length) : "aware";
  const keys = mode === "values" ? "last_values = true" : `mode = "${mode}"`;
  const sparkplug = mode === "aware" ? "" : `[sparkplug]\n${keys}\n\n`;
  return `${listener}\n[log]\nlevel = "warn"\n\n${limits}\n${store}${sparkplug}${
    security(guards)
  }${appended}`;
}

function relayqTls({ tls }: GuardFiles): string {
  if (tls === undefined) return "";
  const { files: { authority, server }, mutual } = tls;
  const own = `certificate_file = "${server.certificate}"\nkey_file = "${server.key}"\n`;
  return mutual ? `${own}client_certificates = "required"\nca_file = "${authority}"\n` : own;
}

function security({ passwordFile, accessFile }: GuardFiles): string {
  const lines: string[] = [];
  if (passwordFile !== undefined) lines.push(`password_file = "${passwordFile}"`);
  if (accessFile !== undefined) lines.push(`access_file = "${accessFile}"`);
  return lines.length === 0 ? "" : `[security]\n${lines.join("\n")}\n\n`;
}
