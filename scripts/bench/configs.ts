/** The brokers' configurations: alike where they can be, and generous to the peer. */

/**
 * `lossless`: no bound on queues, so that QoS 1 and 2 lose nothing in a flood. `stock`: the bounds a
 * broker ships with, for work in which a queue would otherwise grow until memory ends.
 */
export type Profile = "lossless" | "stock";

/** Mosquitto: one listener, no log, no persistence, TCP_NODELAY. */
export function mosquittoConfig(port: number, profile: Profile): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence false",
    "log_type none",
    "set_tcp_nodelay true",
    "max_connections -1",
  ];
  if (profile === "lossless") {
    // 0 is "no limit" for each of them.
    lines.push("max_queued_messages 0", "max_queued_bytes 0", "max_inflight_messages 0");
  }
  return lines.join("\n") + "\n";
}

/** RelayQ: one listener, only warnings in the log, room for the idle connections; the rest as shipped. */
export function relayqConfig(port: number, appended: string): string {
  const listener = `[[listeners]]\naddress = "127.0.0.1:${port}"\n`;
  const limits = `[limits]\nconnections_max = 12000\n`;
  return `${listener}\n[log]\nlevel = "warn"\n\n${limits}\n${appended}`;
}
