/** The brokers' configurations: alike where they can be, and generous to the peer. */

/**
 * `lossless`: no bound on queues, so that QoS 1 and 2 lose nothing in a flood. `stock`: the bounds a
 * broker ships with, for work in which a queue would otherwise grow until memory ends. `durable`: as
 * `lossless`, and the state is kept in a file. `sparkplug_off`: as `lossless`, without Sparkplug. RelayQ acknowledges what an fsync has covered;
 * Mosquitto acknowledges at once, and writes its file every half hour and at its end.
 */
export type Profile = "lossless" | "stock" | "durable" | "sparkplug_off";

/** Mosquitto: one listener, no log, TCP_NODELAY, no persistence unless the work is about it. */
export function mosquittoConfig(
  port: number,
  { profile, directory }: { profile: Profile; directory: string },
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
    // Started by root it would become another user, who may not write there.
    lines.push(`persistence_location ${directory}/`, "user root");
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
  { profile, appended }: { profile: Profile; appended: string },
): string {
  const listener = `[[listeners]]\naddress = "127.0.0.1:${port}"\n`;
  const limits = `[limits]\nconnections_max = 12000\n`;
  const store = profile === "durable" ? `[store]\nkind = "sqlite"\n\n` : "";
  const sparkplug = profile === "sparkplug_off" ? `[sparkplug]\nmode = "off"\n\n` : "";
  return `${listener}\n[log]\nlevel = "warn"\n\n${limits}\n${store}${sparkplug}${appended}`;
}
