/** The table about Sparkplug B. */
import { COUNT_MAX, MEMORY_BYTES_MAX, TEN_YEARS_MS } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const SPARKPLUG_TABLES = [
  {
    name: "sparkplug",
    repeated: false,
    doc:
      "Sparkplug B. Whatever this says, clients cannot publish under $sparkplug/: the tree is the broker's own.",
    keys: [
      {
        name: "mode",
        type: "enum",
        values: ["off", "aware", "monitor", "strict"],
        default: "aware",
        doc:
          '"aware": the last NBIRTH and DBIRTH of everybody is kept on $sparkplug/certificates/ followed by its topic, over restarts, and an NDEATH goes out with the time at which it does. "off": messages of Sparkplug are messages like all others; certificates that were kept before stay as they are. "monitor" is aware, and judges the messages of Sparkplug by the statements of its specification: breaches are counted and logged, and nothing else happens to them. "strict" refuses, drops, puts right or closes besides, as each rule says.',
      },
      {
        name: "retain_live",
        type: "boolean",
        default: true,
        doc:
          "Send a new certificate with RETAIN 1 to established subscriptions, too, and not only to new ones. The statement about certificates makes no difference between the two.",
      },
      {
        name: "certificates_max",
        type: "integer",
        default: 10_000,
        min: 0,
        max: COUNT_MAX,
        doc:
          "Most certificates, which is most Edge Nodes and Devices together. The births of further ones are delivered and not kept. Retained messages are counted apart, and never take their place. 0 keeps none.",
      },
      {
        name: "certificates_bytes_max",
        type: "integer",
        default: 67_108_864,
        min: 1024,
        max: MEMORY_BYTES_MAX,
        doc:
          "Most bytes of all certificates together. A birth that does not fit is delivered and not kept, and neither is the one that it replaces.",
      },
      {
        name: "certificates_expiry_ms",
        type: "integer",
        default: 0,
        min: 0,
        max: TEN_YEARS_MS,
        doc:
          "How long a certificate is kept that no birth replaces. Edge Nodes are born at every connection, so this should be longer than they stay connected. 0 keeps certificates for ever.",
      },
      {
        name: "ndeath_timestamp",
        type: "boolean",
        default: true,
        doc:
          "Replace the time stamp of an NDEATH, or add one, when it is handed to its subscribers: a Will was made when its Edge Node connected. Nothing else in the payload changes, and a payload that cannot be parsed passes as it is.",
      },
      {
        name: "overrides",
        type: "string",
        form: "text",
        default: "",
        doc:
          'What "strict" does on the breach of single statements, as "tck-id=action" with blanks between; "tck-id-" may be left off. Actions: "off" (not judged, in monitor mode neither), "count", "fix" (RETAIN or QoS is put right), "drop" (acknowledged and not routed; a CONNECT is refused), "close". Of several for one rule the strongest holds. Example: "payloads-nbirth-qos=fix topics-nbirth-rebirth-metric=off".',
      },
      {
        name: "on_duplicate",
        type: "enum",
        values: ["reject_new", "take_over"],
        default: "reject_new",
        doc:
          'Who loses in the mode "strict" when a second client connects for an Edge Node that is connected: "reject_new" refuses it, "take_over" closes the first one, and its Will goes out.',
      },
      {
        name: "other_types",
        type: "string",
        form: "text",
        default: "",
        doc:
          'Message types that Sparkplug 3.0 does not know and that are no breach, with blanks between: "NRECORD DRECORD" are seen in the field. What is published on spBv1.0/GROUP/TYPE/NODE and below passes unjudged then, in strict mode, too.',
      },
      {
        name: "rebirth_requests",
        type: "boolean",
        default: false,
        doc:
          "Ask an Edge Node to be born again, in the modes monitor and strict, when only that puts right what was judged: data before the birth, a gap in seq, an unknown metric. Not sooner than 2 s after its CONNECT, at first every 30 s, then more and more seldom, and at most 5 a second of all. Hosts do this, too. Where the mode strict withholds data until the next NBIRTH, it is asked for in any case.",
      },
      {
        name: "synthesize_deaths",
        type: "boolean",
        default: false,
        doc:
          "In the modes monitor and strict, publish the Will of an Edge Node or host that sends DISCONNECT without having said its death.",
      },
      {
        name: "report_by_exception",
        type: "boolean",
        default: false,
        doc:
          "Count metrics that are published though they have not changed, which costs a hash of each value.",
      },
      {
        name: "timestamp_window_ms",
        type: "integer",
        default: 60_000,
        min: 1000,
        max: 86_400_000,
        doc: "How far a time stamp may be from the broker's clock before it counts as wrong.",
      },
      {
        name: "nodes_max",
        type: "integer",
        default: 1000,
        min: 1,
        max: 1_000_000,
        doc:
          "Most Edge Nodes that are judged. Beyond it the one that is away for longest is forgotten, and if all are connected a further one is not judged.",
      },
      {
        name: "devices_per_node_max",
        type: "integer",
        default: 1000,
        min: 1,
        max: 1_000_000,
        doc: "Most Devices of one Edge Node that are judged.",
      },
      {
        name: "metrics_per_node_max",
        type: "integer",
        default: 20_000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Most metrics of one Edge Node and its Devices that are remembered from births, at about 200 bytes.",
      },
      {
        name: "hosts_max",
        type: "integer",
        default: 100,
        min: 1,
        max: 1_000_000,
        doc: "Most Host Applications that are judged.",
      },
      {
        name: "counters_max",
        type: "integer",
        default: 2000,
        min: 0,
        max: 1_000_000,
        doc:
          "Most topics under $SYS/broker/sparkplug/violations/, one for each statement and Edge Node that breaks it. 0 publishes none of them.",
      },
      {
        name: "topology",
        type: "boolean",
        default: false,
        doc:
          "Publish what is known of each Edge Node and host as JSON, on $SYS/broker/sparkplug/topology/nodes/GROUP/NODE and $SYS/broker/sparkplug/topology/hosts/HOST, in the modes monitor and strict.",
      },
      {
        name: "json",
        type: "boolean",
        default: false,
        doc:
          "Publish messages of Sparkplug once more as JSON, on $sparkplug/json/ followed by their topic, at QoS 0 and with names for aliases, in the modes monitor and strict. To read one a client needs the right to read the topic behind it, too. At most 1000 a second: this is for people.",
      },
      {
        name: "alarm_url",
        type: "string",
        form: "url or nothing",
        default: "",
        doc:
          "Where alarms are sent, as JSON by HTTP POST: a second client for an Edge Node or a host, in the modes monitor and strict. They are on $SYS/broker/sparkplug/alarm in any case, for each Edge Node and host one a minute.",
      },
      {
        name: "last_values",
        type: "boolean",
        default: false,
        doc:
          "Keep the last value of every metric in memory, with its time and whether it may be another one by now, for the admin API: GET /sparkplug/v1/groups/GROUP/nodes/NODE/metrics, and …/devices/DEVICE/metrics. In all modes but off; nothing of it outlives the broker.",
      },
      {
        name: "last_values_max",
        type: "integer",
        default: 100_000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Most metrics whose last value is kept. Beyond it, Edge Nodes and Devices that have been away for longest make room, and if all are there the further metrics are not kept.",
      },
      {
        name: "last_values_bytes_max",
        type: "integer",
        default: 67_108_864,
        min: 65_536,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes of all last values together, at about 850 for a metric that is a number.",
      },
      {
        name: "recorded_messages_max",
        type: "integer",
        default: 0,
        min: 0,
        max: 1_000_000,
        doc:
          "Messages of each Edge Node that are kept with what they broke, the last ones, for sparkplug.capture_file. 0 records nothing.",
      },
      {
        name: "recorded_bytes_max",
        type: "integer",
        default: 16_777_216,
        min: 1024,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes of all recorded messages together.",
      },
      {
        name: "capture_file",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          'Where the recorded messages are written, for "relayq sparkplug report". The file is replaced every sparkplug.capture_interval_ms and at the end. Empty writes none.',
      },
      {
        name: "capture_interval_ms",
        type: "integer",
        default: 10_000,
        min: 100,
        max: 86_400_000,
        doc: "How often sparkplug.capture_file is written.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
