import { COUNT_MAX, MEMORY_BYTES_MAX, TEN_YEARS_MS } from "./_schema_bounds.ts";
import { DOOR_KEYS } from "./_schema_door.ts";
import { RATE_TABLE } from "./_schema_rate.ts";
import { MEMORY_TABLES } from "./_schema_memory.ts";
import { ADMIN_TABLE } from "./_schema_admin.ts";
import { AUDIT_TABLES } from "./_schema_audit.ts";
import { SERVICE_TABLES } from "./_schema_service.ts";
import { SECURITY_TABLES } from "./_schema_security.ts";
import { SPARKPLUG_TABLES } from "./_schema_sparkplug.ts";
import { TLS_KEYS } from "./_schema_tls.ts";
import { STATE_TABLES } from "./_schema_state.ts";
import { WEBSOCKET_KEYS } from "./_schema_websocket.ts";
import type { Config } from "./config.ts";
import type { DerivedConfig, SameType, TableSchema } from "./_schema_types.ts";

/** Most listeners one configuration may have. */
export const LISTENERS_MAX = 64;

/** Every key there is. Types, defaults, checks, the example file and the reference come from here. */
export const SCHEMA = [
  {
    name: "listeners",
    repeated: true,
    doc:
      `Where clients connect. Write the table once for every address, at most ${LISTENERS_MAX} times. A file without it has one listener, with the defaults below.`,
    keys: [
      {
        name: "address",
        type: "string",
        form: "listen address",
        default: "127.0.0.1:1883",
        doc:
          'Address and TCP port to listen on, as "host:port". The host is an IPv4 address, an IPv6 address in brackets ("[::1]:1883") or "localhost". Port 0 lets the system choose a free port.',
      },
      {
        name: "allow_anonymous",
        type: "boolean",
        default: false,
        doc:
          "Let clients in that give no user name. Without security.password_file nobody can be told apart: then everybody who reaches the listener is let in, and one that is not on a loopback address is refused unless this key is true.",
      },
      ...DOOR_KEYS,
      ...TLS_KEYS,
      ...WEBSOCKET_KEYS,
    ],
  },
  ...SECURITY_TABLES,
  RATE_TABLE,
  ...AUDIT_TABLES,
  {
    name: "protocol",
    repeated: false,
    doc: "What the broker speaks. MQTT 3.1.1 is always on.",
    keys: [
      {
        name: "mqtt_3_1",
        type: "boolean",
        default: false,
        doc: "Accept MQTT 3.1 clients as well (protocol name MQIsdp, protocol level 3).",
      },
      {
        name: "zero_length_client_identifiers",
        type: "boolean",
        default: true,
        doc:
          "Accept a CONNECT with an empty Client Identifier and Clean Session 1, and give that client a unique one. If false it is refused with return code 2, identifier rejected.",
      },
    ],
  },
  {
    name: "limits",
    repeated: false,
    doc: "Bounds on what clients may do. Nothing in this broker is without one.",
    keys: [
      {
        name: "connections_max",
        type: "integer",
        default: 10_000,
        min: 1,
        max: 1_000_000,
        doc: "Most network connections at a time over all listeners, with or without a CONNECT.",
      },
      {
        name: "connect_timeout_ms",
        type: "integer",
        default: 10_000,
        min: 10,
        max: 600_000,
        doc: "A new connection that has not sent a whole CONNECT within this time is closed.",
      },
      {
        name: "packet_bytes_max",
        type: "integer",
        default: 1_048_576,
        min: 2,
        max: 268_435_460,
        doc:
          "Most bytes of a whole Control Packet from a client, fixed header included. A client that announces a larger one is disconnected. The upper bound is the protocol's own.",
      },
      {
        name: "client_identifier_bytes_max",
        type: "integer",
        default: 1024,
        min: 23,
        max: 65_535,
        doc:
          "Most UTF-8 bytes of a Client Identifier. A longer one is refused with return code 2, identifier rejected. MQTT asks for at least 23.",
      },
      {
        name: "topic_bytes_max",
        type: "integer",
        default: 65_535,
        min: 1,
        max: 65_535,
        doc: "Most UTF-8 bytes of a Topic Name or Topic Filter.",
      },
      {
        name: "topic_levels_max",
        type: "integer",
        default: 32,
        min: 1,
        max: 1_000,
        doc:
          'Most levels of a Topic Name or Topic Filter, which are the parts between the "/". Each level of a retained topic or a subscription costs about 230 bytes of memory.',
      },
      {
        name: "subscriptions_per_session_max",
        type: "integer",
        default: 10_000,
        min: 1,
        max: COUNT_MAX,
        doc: "Most subscriptions one session may hold.",
      },
      {
        name: "subscriptions_max",
        type: "integer",
        default: 1_000_000,
        min: 1,
        max: COUNT_MAX,
        doc: "Most subscriptions over all sessions.",
      },
      {
        name: "sessions_max",
        type: "integer",
        default: 100_000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Most sessions, those of clients that are away included. What happens beyond it says session.full.",
      },
      {
        name: "retained_messages_max",
        type: "integer",
        default: 100_000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Most Retained messages, which is most topics that hold one. What happens beyond it says retained.full.",
      },
      {
        name: "retained_bytes_max",
        type: "integer",
        default: 268_435_456,
        min: 1,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes of all Retained messages together.",
      },
      {
        name: "in_flight_messages_max",
        type: "integer",
        default: 64,
        min: 1,
        max: 65_535,
        doc:
          "Most QoS 1 and QoS 2 messages that are on their way to one client without its acknowledgement. Further ones wait in the session's queue.",
      },
      {
        name: "receive_in_flight_max",
        type: "integer",
        default: 65_535,
        min: 1,
        max: 65_535,
        doc:
          "Most Packet Identifiers one client may hold open at a time in QoS 2 exchanges towards the broker.",
      },
      {
        name: "keep_alive_max_ms",
        type: "integer",
        default: 0,
        min: 0,
        max: 65_535_000,
        doc:
          "Longest Keep Alive. A client that asks for a longer one, or for none, is treated as if it had asked for this. 0 means no limit.",
      },
    ],
  },
  {
    name: "queue",
    repeated: false,
    doc: "Messages that wait for a session whose client is away or whose in-flight window is full.",
    keys: [
      {
        name: "messages_max",
        type: "integer",
        default: 10_000,
        min: 1,
        max: COUNT_MAX,
        doc: "Most messages that wait for one session.",
      },
      {
        name: "bytes_max",
        type: "integer",
        default: 16_777_216,
        min: 2,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes that wait for one session. It must hold at least one whole packet.",
      },
      {
        name: "total_bytes_max",
        type: "integer",
        default: 268_435_456,
        min: 2,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes that wait for or are in flight to all sessions together.",
      },
      {
        name: "total_messages_max",
        type: "integer",
        default: 1_000_000,
        min: 1,
        max: COUNT_MAX,
        doc: "Most messages that wait for all sessions together.",
      },
      {
        name: "full",
        type: "enum",
        values: ["drop_newest", "drop_oldest"],
        default: "drop_newest",
        doc:
          "What is given up when a queue is full: the message that would have been added, or the ones of that session that have waited longest. Every message given up is counted, and is a dead letter.",
      },
      {
        name: "message_expiry_ms",
        type: "integer",
        default: 0,
        min: 0,
        max: TEN_YEARS_MS,
        doc:
          "A message that has waited for longer, to the second, is given up. Time that the broker is off counts. 0 means never.",
      },
    ],
  },
  {
    name: "outbox",
    repeated: false,
    doc: "Bytes on their way into one client's socket.",
    keys: [
      {
        name: "bytes_max",
        type: "integer",
        default: 4_194_304,
        min: 1024,
        max: MEMORY_BYTES_MAX,
        doc:
          "Most bytes that wait for one slow socket. Beyond it QoS 0 messages for that client are dropped and counted.",
      },
      {
        name: "high_water_bytes",
        type: "integer",
        default: 262_144,
        min: 1,
        max: MEMORY_BYTES_MAX,
        doc: "From here on publishers into this outbox are not read until it has drained.",
      },
      {
        name: "low_water_bytes",
        type: "integer",
        default: 65_536,
        min: 0,
        max: MEMORY_BYTES_MAX - 1,
        doc: "An outbox at or below this counts as drained; its publishers are read again.",
      },
      {
        name: "slow_consumer_grace_ms",
        type: "integer",
        default: 1000,
        min: 0,
        max: 600_000,
        doc:
          "How long a slow consumer may hold back its publishers before it loses that right until it has caught up.",
      },
      {
        name: "stalled_write_timeout_ms",
        type: "integer",
        default: 30_000,
        min: 100,
        max: 3_600_000,
        doc: "A socket that takes not one byte for so long is closed.",
      },
    ],
  },
  ...STATE_TABLES,
  ...SPARKPLUG_TABLES,
  ...MEMORY_TABLES,
  {
    name: "sys_topics",
    repeated: false,
    doc: "The broker's own numbers, published under $SYS/.",
    keys: [
      {
        name: "enabled",
        type: "boolean",
        default: true,
        doc: "Publish the $SYS topics.",
      },
      {
        name: "interval_ms",
        type: "integer",
        default: 10_000,
        min: 100,
        max: 86_400_000,
        doc: "Time from one round of $SYS messages to the next.",
      },
    ],
  },
  ADMIN_TABLE,
  ...SERVICE_TABLES,
] as const satisfies readonly TableSchema[];

/** Fails to compile when the schema above and the interface that people read drift apart. */
export const SCHEMA_MATCHES_CONFIG: SameType<DerivedConfig<typeof SCHEMA>, Config> = true;
