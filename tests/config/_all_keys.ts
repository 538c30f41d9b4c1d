/** A number of the configuration and what must hold of it, written out apart from the schema. */
export interface ExpectedInteger {
  readonly path: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What else must be set for the bounds to be within all relations. */
  readonly atMin?: Readonly<Record<string, number>>;
  readonly atMax?: Readonly<Record<string, number>>;
}

const TEBIBYTE = 2 ** 40;
const TEN_YEARS_MS = 3650 * 24 * 3600 * 1000;

export const INTEGERS: readonly ExpectedInteger[] = [
  { path: "limits.connections_max", default: 10_000, min: 1, max: 1_000_000 },
  { path: "limits.connect_timeout_ms", default: 10_000, min: 10, max: 600_000 },
  {
    path: "limits.packet_bytes_max",
    default: 1_048_576,
    min: 2,
    max: 268_435_460,
    atMax: { "queue.bytes_max": 268_435_460, "queue.total_bytes_max": 268_435_460 },
  },
  { path: "limits.client_identifier_bytes_max", default: 1024, min: 23, max: 65_535 },
  { path: "limits.topic_bytes_max", default: 65_535, min: 1, max: 65_535 },
  { path: "limits.topic_levels_max", default: 32, min: 1, max: 1_000 },
  {
    path: "limits.subscriptions_per_session_max",
    default: 10_000,
    min: 1,
    max: 10_000_000,
    atMax: { "limits.subscriptions_max": 10_000_000 },
  },
  {
    path: "limits.subscriptions_max",
    default: 1_000_000,
    min: 1,
    max: 10_000_000,
    atMin: { "limits.subscriptions_per_session_max": 1 },
  },
  { path: "limits.sessions_max", default: 100_000, min: 1, max: 10_000_000 },
  { path: "limits.retained_messages_max", default: 100_000, min: 1, max: 10_000_000 },
  { path: "limits.retained_bytes_max", default: 268_435_456, min: 1, max: TEBIBYTE },
  { path: "limits.in_flight_messages_max", default: 64, min: 1, max: 65_535 },
  { path: "limits.receive_in_flight_max", default: 65_535, min: 1, max: 65_535 },
  { path: "limits.keep_alive_max_ms", default: 0, min: 0, max: 65_535_000 },
  { path: "queue.messages_max", default: 10_000, min: 1, max: 10_000_000 },
  {
    path: "queue.bytes_max",
    default: 16_777_216,
    min: 2,
    max: TEBIBYTE,
    atMin: { "limits.packet_bytes_max": 2 },
    atMax: { "queue.total_bytes_max": TEBIBYTE },
  },
  {
    path: "queue.total_bytes_max",
    default: 268_435_456,
    min: 2,
    max: TEBIBYTE,
    atMin: { "queue.bytes_max": 2, "limits.packet_bytes_max": 2 },
  },
  { path: "listeners.handshake_timeout_ms", default: 10_000, min: 10, max: 600_000 },
  { path: "listeners.handshakes_max", default: 256, min: 1, max: 100_000 },
  { path: "connection_rate.per_second", default: 1_000, min: 0, max: 1_000_000 },
  { path: "connection_rate.burst", default: 10_000, min: 1, max: 10_000_000 },
  { path: "connection_rate.per_address_per_second", default: 100, min: 0, max: 1_000_000 },
  { path: "connection_rate.per_address_burst", default: 1_000, min: 1, max: 10_000_000 },
  { path: "security.login_memory_ms", default: 600_000, min: 0, max: 3_600_000 },
  { path: "security.file_check_ms", default: 5_000, min: 0, max: 3_600_000 },
  { path: "login_guard.failures_max", default: 10, min: 1, max: 100 },
  { path: "login_guard.window_ms", default: 60_000, min: 1000, max: 86_400_000 },
  {
    path: "login_guard.lock_out_ms",
    default: 60_000,
    min: 100,
    max: 86_400_000,
    atMax: { "login_guard.lock_out_ms_max": 86_400_000 },
  },
  {
    path: "login_guard.lock_out_ms_max",
    default: 3_600_000,
    min: 100,
    max: 86_400_000,
    atMin: { "login_guard.lock_out_ms": 100 },
  },
  { path: "admin.requests_per_second", default: 50, min: 0, max: 1_000_000 },
  { path: "rate.client_messages_per_second", default: 0, min: 0, max: 10_000_000 },
  { path: "rate.client_messages_burst", default: 0, min: 0, max: 10_000_000 },
  { path: "rate.client_bytes_per_second", default: 0, min: 0, max: TEBIBYTE },
  { path: "rate.client_bytes_burst", default: 0, min: 0, max: TEBIBYTE },
  { path: "rate.total_messages_per_second", default: 0, min: 0, max: 10_000_000 },
  { path: "rate.total_messages_burst", default: 0, min: 0, max: 10_000_000 },
  { path: "rate.total_bytes_per_second", default: 0, min: 0, max: TEBIBYTE },
  { path: "rate.total_bytes_burst", default: 0, min: 0, max: TEBIBYTE },
  { path: "queue.total_messages_max", default: 1_000_000, min: 1, max: 10_000_000 },
  { path: "queue.message_expiry_ms", default: 0, min: 0, max: TEN_YEARS_MS },
  {
    path: "outbox.bytes_max",
    default: 4_194_304,
    min: 1024,
    max: TEBIBYTE,
    atMin: { "outbox.high_water_bytes": 1024, "outbox.low_water_bytes": 0 },
  },
  {
    path: "outbox.high_water_bytes",
    default: 262_144,
    min: 1,
    max: TEBIBYTE,
    atMin: { "outbox.low_water_bytes": 0 },
    atMax: { "outbox.bytes_max": TEBIBYTE },
  },
  {
    path: "outbox.low_water_bytes",
    default: 65_536,
    min: 0,
    max: TEBIBYTE - 1,
    atMax: { "outbox.high_water_bytes": TEBIBYTE, "outbox.bytes_max": TEBIBYTE },
  },
  { path: "outbox.slow_consumer_grace_ms", default: 1000, min: 0, max: 600_000 },
  { path: "outbox.stalled_write_timeout_ms", default: 30_000, min: 100, max: 3_600_000 },
  { path: "retained.expiry_ms", default: 0, min: 0, max: TEN_YEARS_MS },
  { path: "session.expiry_ms", default: 1_209_600_000, min: 0, max: TEN_YEARS_MS },
  { path: "store.sync_interval_ms", default: 1000, min: 10, max: 60_000 },
  { path: "store.syncs_per_second_max", default: 1000, min: 1, max: 100_000 },
  { path: "store.wal_bytes_max", default: 4_194_304, min: 65_536, max: 1_073_741_824 },
  { path: "store.backlog_bytes_max", default: 16_777_216, min: 65_536, max: TEBIBYTE },
  { path: "memory.limit_bytes", default: 0, min: 0, max: TEBIBYTE },
  {
    path: "memory.refuse_connections_percent",
    default: 75,
    min: 10,
    max: 97,
    atMax: {
      "memory.shed_qos0_percent": 98,
      "memory.shed_queues_percent": 99,
      "memory.shut_down_percent": 100,
    },
  },
  {
    path: "memory.shed_qos0_percent",
    default: 85,
    min: 11,
    max: 98,
    atMin: { "memory.refuse_connections_percent": 10 },
    atMax: { "memory.shed_queues_percent": 99, "memory.shut_down_percent": 100 },
  },
  {
    path: "memory.shed_queues_percent",
    default: 92,
    min: 12,
    max: 99,
    atMin: { "memory.refuse_connections_percent": 10, "memory.shed_qos0_percent": 11 },
    atMax: { "memory.shut_down_percent": 100 },
  },
  {
    path: "memory.shut_down_percent",
    default: 97,
    min: 13,
    max: 100,
    atMin: {
      "memory.refuse_connections_percent": 10,
      "memory.shed_qos0_percent": 11,
      "memory.shed_queues_percent": 12,
    },
  },
  { path: "memory.dwell_ms", default: 5_000, min: 0, max: 600_000 },
  { path: "memory.loop_lag_ms_max", default: 1_000, min: 0, max: 600_000 },
  { path: "dead_letters.messages_max", default: 10_000, min: 0, max: 10_000_000 },
  { path: "dead_letters.bytes_max", default: 67_108_864, min: 1024, max: TEBIBYTE },
  { path: "dead_letters.expiry_ms", default: 2_592_000_000, min: 0, max: TEN_YEARS_MS },
  { path: "dead_letters.per_second_max", default: 100, min: 1, max: 1_000_000 },
  { path: "sparkplug.certificates_max", default: 10_000, min: 0, max: 10_000_000 },
  { path: "sparkplug.certificates_bytes_max", default: 67_108_864, min: 1024, max: TEBIBYTE },
  { path: "sparkplug.certificates_expiry_ms", default: 0, min: 0, max: TEN_YEARS_MS },
  { path: "sparkplug.timestamp_window_ms", default: 60_000, min: 1000, max: 86_400_000 },
  { path: "sparkplug.nodes_max", default: 1000, min: 1, max: 1_000_000 },
  { path: "sparkplug.devices_per_node_max", default: 1000, min: 1, max: 1_000_000 },
  { path: "sparkplug.metrics_per_node_max", default: 20_000, min: 1, max: 10_000_000 },
  { path: "sparkplug.hosts_max", default: 100, min: 1, max: 1_000_000 },
  { path: "sparkplug.counters_max", default: 2000, min: 0, max: 1_000_000 },
  { path: "sparkplug.last_values_max", default: 100_000, min: 1, max: 10_000_000 },
  { path: "sparkplug.last_values_bytes_max", default: 67_108_864, min: 65_536, max: TEBIBYTE },
  { path: "sparkplug.recorded_messages_max", default: 0, min: 0, max: 1_000_000 },
  { path: "sparkplug.recorded_bytes_max", default: 16_777_216, min: 1024, max: TEBIBYTE },
  { path: "sparkplug.capture_interval_ms", default: 10_000, min: 100, max: 86_400_000 },
  { path: "audit.file_bytes_max", default: 8_388_608, min: 65_536, max: 1_073_741_824 },
  { path: "audit.file_age_ms_max", default: 604_800_000, min: 1000, max: TEN_YEARS_MS },
  { path: "audit.files_max", default: 16, min: 2, max: 100_000 },
  { path: "audit.flush_ms", default: 1000, min: 10, max: 60_000 },
  { path: "audit.waiting_bytes_max", default: 4_194_304, min: 65_536, max: TEBIBYTE },
  { path: "audit.per_origin_max", default: 10, min: 1, max: 1_000_000 },
  { path: "audit.per_minute_max", default: 60, min: 1, max: 1_000_000 },
  { path: "audit.connections_per_client_max", default: 120, min: 1, max: 1_000_000 },
  { path: "audit.head_interval_ms", default: 3_600_000, min: 100, max: 86_400_000 },
  { path: "take_over.returns_max", default: 5, min: 0, max: 1000 },
  { path: "take_over.same_address_max", default: 60, min: 0, max: 100_000 },
  { path: "take_over.window_ms", default: 60_000, min: 100, max: 86_400_000 },
  {
    path: "take_over.damp_ms",
    default: 10_000,
    min: 100,
    max: 86_400_000,
    atMax: { "take_over.damp_ms_max": 86_400_000 },
  },
  {
    path: "take_over.damp_ms_max",
    default: 600_000,
    min: 100,
    max: 86_400_000,
    atMin: { "take_over.damp_ms": 100 },
  },
  { path: "sys_topics.interval_ms", default: 10_000, min: 100, max: 86_400_000 },
  { path: "log.file_bytes_max", default: 10_485_760, min: 4096, max: 1_073_741_824 },
  { path: "log.files_max", default: 5, min: 1, max: 1000 },
  { path: "log.repeats_per_second_max", default: 100, min: 0, max: 1_000_000 },
  { path: "service.drain_ms", default: 5_000, min: 0, max: 600_000 },
  { path: "service.store_stuck_ms_max", default: 300_000, min: 0, max: 86_400_000 },
];

export const BOOLEANS: readonly { readonly path: string; readonly default: boolean }[] = [
  { path: "listeners.allow_anonymous", default: false },
  { path: "protocol.mqtt_3_1", default: false },
  { path: "protocol.zero_length_client_identifiers", default: true },
  { path: "audit.enabled", default: true },
  { path: "dead_letters.republish", default: false },
  { path: "sparkplug.retain_live", default: true },
  { path: "sparkplug.ndeath_timestamp", default: true },
  { path: "sparkplug.rebirth_requests", default: false },
  { path: "sparkplug.synthesize_deaths", default: false },
  { path: "sparkplug.report_by_exception", default: false },
  { path: "sparkplug.topology", default: false },
  { path: "sparkplug.json", default: false },
  { path: "sparkplug.last_values", default: false },
  { path: "memory.enabled", default: true },
  { path: "sys_topics.enabled", default: true },
];

export const WORDS: readonly {
  readonly path: string;
  readonly default: string;
  readonly values: readonly string[];
  /** Lines that have to stand beside it. */
  readonly beside?: string;
}[] = [
  {
    path: "listeners.proxy_protocol",
    beside: 'trusted_proxies = "10.0.0.1"\nallow_anonymous = true\n',
    default: "off",
    values: ["off", "v1", "v2", "any"],
  },
  { path: "listeners.tls_version_min", default: "1.3", values: ["1.2", "1.3"] },
  {
    path: "listeners.client_certificates",
    beside: 'certificate_file = "c"\nkey_file = "k"\nca_file = "a"\n',
    default: "none",
    values: ["none", "optional", "required"],
  },
  { path: "listeners.crl_expired", default: "warn", values: ["warn", "refuse"] },
  { path: "listeners.crl_missing", default: "warn", values: ["warn", "refuse"] },
  { path: "listeners.certificate_clock", default: "strict", values: ["strict", "grace"] },
  {
    path: "listeners.identity_from",
    default: "cn",
    values: ["cn", "san_dns", "san_uri", "san_email", "fingerprint"],
  },
  {
    path: "security.client_identifier",
    beside: 'password_file = "p"\n',
    default: "any",
    values: ["any", "user", "user_prefix"],
  },
  { path: "security.session_owner", default: "same_user", values: ["same_user", "any"] },
  { path: "security.refused_publish", default: "drop", values: ["drop", "close"] },
  { path: "rate.over_limit", default: "hold", values: ["hold", "close"] },
  { path: "queue.full", default: "drop_newest", values: ["drop_newest", "drop_oldest"] },
  { path: "retained.full", default: "drop_newest", values: ["drop_newest", "drop_oldest"] },
  { path: "session.full", default: "drop_newest", values: ["drop_newest", "drop_oldest"] },
  { path: "store.kind", default: "sqlite", values: ["memory", "sqlite"] },
  { path: "store.durability", default: "commit", values: ["commit", "interval"] },
  { path: "sparkplug.mode", default: "aware", values: ["off", "aware", "monitor", "strict"] },
  {
    path: "sparkplug.on_duplicate",
    default: "reject_new",
    values: ["reject_new", "take_over"],
  },
  {
    path: "admin.client_certificates",
    beside: 'certificate_file = "c.pem"\nkey_file = "k.pem"\nca_file = "ca.pem"\n',
    default: "none",
    values: ["none", "optional", "required"],
  },
  { path: "log.level", default: "info", values: ["debug", "info", "warn", "error"] },
  { path: "log.format", default: "text", values: ["text", "json"] },
  { path: "log.journald", default: "auto", values: ["auto", "on", "off"] },
];

export const STRINGS: readonly { readonly path: string; readonly default: string }[] = [
  { path: "listeners.address", default: "127.0.0.1:1883" },
  { path: "listeners.certificate_file", default: "" },
  { path: "listeners.key_file", default: "" },
  { path: "listeners.ca_file", default: "" },
  { path: "listeners.crl_file", default: "" },
  { path: "listeners.certificate_pins", default: "" },
  { path: "listeners.ip_allow", default: "" },
  { path: "listeners.ip_block", default: "" },
  { path: "listeners.trusted_proxies", default: "" },
  { path: "listeners.websocket_path", default: "" },
  { path: "listeners.websocket_origins", default: "" },
  { path: "ip.allow", default: "" },
  { path: "ip.block", default: "" },
  { path: "connection_rate.exempt", default: "127.0.0.0/8 ::1" },
  { path: "audit.dir", default: "" },
  { path: "login_guard.exempt", default: "" },
  { path: "security.password_file", default: "" },
  { path: "security.access_file", default: "" },
  { path: "security.pin_file", default: "" },
  { path: "sparkplug.overrides", default: "" },
  { path: "sparkplug.capture_file", default: "" },
  { path: "sparkplug.alarm_url", default: "" },
  { path: "sparkplug.other_types", default: "" },
  { path: "store.data_dir", default: "relayq-data" },
  { path: "admin.address", default: "" },
  { path: "admin.tokens_file", default: "" },
  { path: "admin.certificate_file", default: "" },
  { path: "admin.key_file", default: "" },
  { path: "admin.ca_file", default: "" },
  { path: "admin.crl_file", default: "" },
  { path: "admin.metrics_token_sha256", default: "" },
  { path: "admin.hosts", default: "" },
  { path: "log.levels", default: "" },
  { path: "log.file", default: "" },
];

export const ALL_PATHS: readonly string[] = [...INTEGERS, ...BOOLEANS, ...WORDS, ...STRINGS]
  .map((key) => key.path);

/** The header a key stands under in the file. */
export function headerOf(path: string): string {
  const table = path.slice(0, path.indexOf("."));
  return table === "listeners" ? "[[listeners]]" : `[${table}]`;
}

/** The key's own name. */
export function nameOf(path: string): string {
  return path.slice(path.indexOf(".") + 1);
}
