/** Rules of births, data and commands (4.4, 4.5, 4.6 and 4.8). */
import { rule } from "./rule.ts";

/** NBIRTH. */
export const NBIRTH_RULES = {
  birthFirst: rule("error", {
    ids: "principles-birth-certificates-order",
    on: "NDATA DBIRTH DDATA DDEATH",
    says: "the first message of an Edge Node's session is its birth",
    strict: "drop, rebirth",
  }),
  nbirthQos: rule("warn", {
    ids: `topics-nbirth-mqtt payloads-nbirth-qos
      message-flow-edge-node-birth-publish-nbirth-qos`,
    on: "NBIRTH",
    says: "NBIRTH is published at QoS 0",
  }),
  nbirthRetain: rule("error", {
    ids: `topics-nbirth-mqtt payloads-nbirth-retain
      message-flow-edge-node-birth-publish-nbirth-retained`,
    on: "NBIRTH",
    says: "NBIRTH is not retained",
    strict: "fix",
  }),
  nbirthPayload: rule("error", {
    ids: "message-flow-edge-node-birth-publish-nbirth-payload",
    on: "NBIRTH",
    says: "NBIRTH holds a Sparkplug payload",
    strict: "drop",
  }),
  nbirthSeq: rule("error", {
    ids: `payloads-nbirth-seq payloads-sequence-num-req-nbirth
      message-flow-edge-node-birth-publish-nbirth-payload-seq`,
    on: "NBIRTH",
    says: "NBIRTH has a seq from 0 to 255",
    strict: "drop",
  }),
  nbirthSeqZero: rule("warn", {
    ids: "topics-nbirth-seq-num",
    on: "NBIRTH",
    says: "seq of NBIRTH is 0",
  }),
  nbirthTimestamp: rule("warn", {
    ids: "topics-nbirth-timestamp payloads-nbirth-timestamp",
    on: "NBIRTH",
    says: "NBIRTH has a timestamp",
  }),
  nbirthBdSeq: rule("error", {
    ids: "topics-nbirth-bdseq-included payloads-nbirth-bdseq",
    on: "NBIRTH",
    says: "NBIRTH has a metric bdSeq",
    strict: "drop",
  }),
  nbirthBdSeqMatch: rule("error", {
    ids: `topics-nbirth-bdseq-matching
      message-flow-edge-node-birth-publish-nbirth-payload-bdSeq payloads-ndeath-bdseq`,
    on: "NBIRTH",
    says: "bdSeq of NBIRTH is that of the Will",
    strict: "close",
  }),
  rebirthBdSeq: rule("error", {
    ids: "payloads-nbirth-bdseq-repeat operational-behavior-data-commands-rebirth-action-3",
    on: "NBIRTH",
    says: "a repeated NBIRTH has the same bdSeq",
    strict: "close",
  }),
  rebirthMetric: rule("warn", {
    ids: `topics-nbirth-rebirth-metric payloads-nbirth-rebirth-req
      operational-behavior-data-commands-rebirth-name`,
    on: "NBIRTH",
    says: "NBIRTH has a metric Node Control/Rebirth",
  }),
  rebirthDataType: rule("warn", {
    ids: "operational-behavior-data-commands-rebirth-datatype payloads-nbirth-rebirth-req",
    on: "NBIRTH",
    says: "Node Control/Rebirth is a Boolean",
  }),
  rebirthValue: rule("warn", {
    ids: "operational-behavior-data-commands-rebirth-value payloads-nbirth-rebirth-req",
    on: "NBIRTH",
    says: "Node Control/Rebirth is false in NBIRTH",
  }),
  rebirthAlias: rule("warn", {
    ids: "operational-behavior-data-commands-rebirth-name-aliases",
    on: "NBIRTH",
    says: "Node Control/Rebirth has no alias",
  }),
  nbirthMetrics: rule("error", {
    ids: "topics-nbirth-metrics operational-behavior-data-publish-nbirth-values",
    on: "NBIRTH",
    says: "each metric of NBIRTH has a name, a datatype and a value, or is null",
    strict: "drop",
  }),
  ndataKnown: rule("error", {
    ids: "topics-nbirth-metric-reqs operational-behavior-data-publish-nbirth",
    on: "NDATA",
    says: "NBIRTH has every metric that the Edge Node will ever publish",
    strict: "drop, rebirth",
  }),
  ndataOrder: rule("info", {
    ids: "operational-behavior-data-publish-nbirth-order",
    on: "NBIRTH NDATA",
    says: "metrics of an Edge Node that are not historical come in the order of their time",
  }),
  metricNamesCase: rule("info", {
    ids: "case-sensitivity-metric-names",
    on: "NBIRTH DBIRTH",
    says: "names of metrics do not differ by case alone",
  }),
  primaryWait: rule("info", {
    ids: `message-flow-edge-node-birth-publish-phid-wait
      message-flow-edge-node-birth-publish-phid-wait-id
      message-flow-edge-node-birth-publish-phid-wait-online
      message-flow-edge-node-birth-publish-phid-wait-timestamp
      operational-behavior-edge-node-birth-sequence-wait`,
    on: "NBIRTH",
    says: "an Edge Node that watches one host is born when that host is online",
  }),
  primaryOffline: rule("info", {
    ids: `message-flow-edge-node-birth-publish-phid-offline
      operational-behavior-edge-node-termination-host-offline`,
    on: "TIME",
    says: "an Edge Node that watches one host leaves when that host goes offline",
  }),
  primaryOfflineStale: rule("info", {
    ids: "operational-behavior-edge-node-termination-host-offline-timestamp",
    on: "CLOSE",
    says: "an Edge Node stays when the host's offline is older than its online",
  }),
} as const;

/** DBIRTH. */
export const DBIRTH_RULES = {
  dbirthAfterNbirth: rule("error", {
    ids: "message-flow-device-birth-publish-nbirth-wait",
    on: "DBIRTH",
    says: "DBIRTH comes after NBIRTH",
    strict: "drop, rebirth",
  }),
  dbirthNode: rule("error", {
    ids: "message-flow-device-birth-publish-dbirth-match-edge-node-topic",
    on: "DBIRTH",
    says: "DBIRTH has the Group ID and Edge Node ID of the session's NBIRTH",
    strict: "drop",
  }),
  dbirthPayload: rule("error", {
    ids: "message-flow-device-birth-publish-dbirth-payload",
    on: "DBIRTH",
    says: "DBIRTH holds a Sparkplug payload",
    strict: "drop",
  }),
  dbirthQos: rule("warn", {
    ids: "topics-dbirth-mqtt payloads-dbirth-qos message-flow-device-birth-publish-dbirth-qos",
    on: "DBIRTH",
    says: "DBIRTH is published at QoS 0",
  }),
  dbirthRetain: rule("error", {
    ids: `topics-dbirth-mqtt payloads-dbirth-retain
      message-flow-device-birth-publish-dbirth-retained`,
    on: "DBIRTH",
    says: "DBIRTH is not retained",
    strict: "fix",
  }),
  dbirthSeq: rule("error", {
    ids: `topics-dbirth-seq payloads-dbirth-seq payloads-dbirth-seq-inc
      message-flow-device-birth-publish-dbirth-payload-seq`,
    on: "DBIRTH",
    says: "DBIRTH has the next seq in line",
    strict: "count, rebirth",
  }),
  dbirthTimestamp: rule("warn", {
    ids: "topics-dbirth-timestamp payloads-dbirth-timestamp",
    on: "DBIRTH",
    says: "DBIRTH has a timestamp",
  }),
  dbirthMetrics: rule("error", {
    ids: "topics-dbirth-metrics operational-behavior-data-publish-dbirth-values",
    on: "DBIRTH",
    says: "each metric of DBIRTH has a name, a datatype and a value, or is null",
    strict: "drop",
  }),
  ddataKnown: rule("error", {
    ids: "topics-dbirth-metric-reqs operational-behavior-data-publish-dbirth",
    on: "DDATA",
    says: "DBIRTH has every metric that the Device will ever publish",
    strict: "drop, rebirth",
  }),
  dbirthOrder: rule("info", {
    ids: "payloads-dbirth-order",
    on: "DBIRTH",
    says: "DBIRTH comes right after NBIRTH, before any data",
  }),
  ddataOrder: rule("info", {
    ids: "operational-behavior-data-publish-dbirth-order",
    on: "DBIRTH DDATA",
    says: "metrics of a Device that are not historical come in the order of their time",
  }),
} as const;

/** NDATA and DDATA. */
export const DATA_RULES = {
  ndataBeforeBirth: rule("error", {
    ids: "payloads-ndata-order",
    on: "NDATA",
    says: "NDATA comes after NBIRTH",
    strict: "drop, rebirth",
  }),
  ddataBeforeBirth: rule("error", {
    ids: "payloads-ddata-order",
    on: "DDATA",
    says: "DDATA comes after the DBIRTH of its Device, and not after its DDEATH",
    strict: "drop, rebirth",
  }),
  ndataQos: rule("warn", {
    ids: "topics-ndata-mqtt payloads-ndata-qos",
    on: "NDATA",
    says: "NDATA is published at QoS 0",
  }),
  ndataRetain: rule("error", {
    ids: "topics-ndata-mqtt payloads-ndata-retain",
    on: "NDATA",
    says: "NDATA is not retained",
    strict: "fix",
  }),
  ddataQos: rule("warn", {
    ids: "topics-ddata-mqtt payloads-ddata-qos",
    on: "DDATA",
    says: "DDATA is published at QoS 0",
  }),
  ddataRetain: rule("error", {
    ids: "topics-ddata-mqtt payloads-ddata-retain",
    on: "DDATA",
    says: "DDATA is not retained",
    strict: "fix",
  }),
  ndataSeq: rule("error", {
    ids: "topics-ndata-seq-num payloads-ndata-seq payloads-sequence-num-always-included",
    on: "NDATA",
    says: "NDATA holds a Sparkplug payload with a seq from 0 to 255",
    strict: "drop, rebirth",
  }),
  ddataSeq: rule("error", {
    ids: "topics-ddata-seq-num payloads-ddata-seq payloads-sequence-num-always-included",
    on: "DDATA",
    says: "DDATA holds a Sparkplug payload with a seq from 0 to 255",
    strict: "drop, rebirth",
  }),
  ndataSeqNext: rule("error", {
    ids: "topics-ndata-seq-num payloads-ndata-seq-inc payloads-sequence-num-incrementing",
    on: "NDATA",
    says: "NDATA has the next seq in line",
    strict: "count, rebirth",
  }),
  ddataSeqNext: rule("error", {
    ids: "topics-ddata-seq-num payloads-ddata-seq-inc payloads-sequence-num-incrementing",
    on: "DDATA",
    says: "DDATA has the next seq in line",
    strict: "count, rebirth",
  }),
  ndataTimestamp: rule("warn", {
    ids: "topics-ndata-timestamp payloads-ndata-timestamp",
    on: "NDATA",
    says: "NDATA has a timestamp",
  }),
  ddataTimestamp: rule("warn", {
    ids: "topics-ddata-timestamp payloads-ddata-timestamp",
    on: "DDATA",
    says: "DDATA has a timestamp",
  }),
  ndataEmpty: rule("info", {
    ids: "topics-ndata-payload",
    on: "NDATA",
    says: "NDATA holds the metrics that have changed",
  }),
  ddataEmpty: rule("info", {
    ids: "topics-ddata-payload",
    on: "DDATA",
    says: "DDATA holds the metrics that have changed",
  }),
  ndataUnchanged: rule("info", {
    ids: "operational-behavior-data-publish-nbirth-change principles-rbe-recommended",
    on: "NDATA",
    says: "an Edge Node publishes a metric when it has changed",
  }),
  ddataUnchanged: rule("info", {
    ids: "operational-behavior-data-publish-dbirth-change principles-rbe-recommended",
    on: "DDATA",
    says: "a Device's metric is published when it has changed",
  }),
} as const;

/** NCMD and DCMD, and what an Edge Node does when it is told to be born again. */
export const COMMAND_RULES = {
  ncmdQos: rule("warn", {
    ids: "topics-ncmd-mqtt payloads-ncmd-qos",
    on: "NCMD",
    says: "NCMD is published at QoS 0",
  }),
  ncmdRetain: rule("error", {
    ids: "topics-ncmd-mqtt payloads-ncmd-retain",
    on: "NCMD",
    says: "NCMD is not retained",
    strict: "fix",
  }),
  dcmdQos: rule("warn", {
    ids: "topics-dcmd-mqtt payloads-dcmd-qos",
    on: "DCMD",
    says: "DCMD is published at QoS 0",
  }),
  dcmdRetain: rule("error", {
    ids: "topics-dcmd-mqtt payloads-dcmd-retain",
    on: "DCMD",
    says: "DCMD is not retained",
    strict: "fix",
  }),
  ncmdTimestamp: rule("warn", {
    ids: "topics-ncmd-timestamp payloads-ncmd-timestamp",
    on: "NCMD",
    says: "NCMD has a timestamp",
  }),
  dcmdTimestamp: rule("warn", {
    ids: "topics-dcmd-timestamp payloads-dcmd-timestamp",
    on: "DCMD",
    says: "DCMD has a timestamp",
  }),
  ncmdSeq: rule("warn", { ids: "payloads-ncmd-seq", on: "NCMD", says: "NCMD has no seq" }),
  dcmdSeq: rule("warn", { ids: "payloads-dcmd-seq", on: "DCMD", says: "DCMD has no seq" }),
  ncmdEmpty: rule("warn", {
    ids: "topics-ncmd-payload",
    on: "NCMD",
    says: "NCMD holds a Sparkplug payload with the metrics to write",
    strict: "drop",
  }),
  dcmdEmpty: rule("warn", {
    ids: "topics-dcmd-payload",
    on: "DCMD",
    says: "DCMD holds a Sparkplug payload with the metrics to write",
    strict: "drop",
  }),
  ncmdMetricName: rule("info", {
    ids: "operational-behavior-data-commands-ncmd-metric-name",
    on: "NCMD",
    says: "NCMD names metrics of the Edge Node's birth",
  }),
  dcmdMetricName: rule("info", {
    ids: "operational-behavior-data-commands-dcmd-metric-name",
    on: "DCMD",
    says: "DCMD names metrics of the Device's birth",
  }),
  ncmdMetricValue: rule("error", {
    ids: "operational-behavior-data-commands-ncmd-metric-value",
    on: "NCMD",
    says: "values of NCMD fit the datatypes of the birth",
    strict: "drop",
  }),
  dcmdMetricValue: rule("error", {
    ids: "operational-behavior-data-commands-dcmd-metric-value",
    on: "DCMD",
    says: "values of DCMD fit the datatypes of the birth",
    strict: "drop",
  }),
  rebirthVerb: rule("warn", {
    ids: "operational-behavior-data-commands-ncmd-rebirth-verb",
    on: "DCMD",
    says: "a rebirth request is an NCMD",
  }),
  rebirthRequestName: rule("warn", {
    ids: "operational-behavior-data-commands-ncmd-rebirth-name",
    on: "NCMD",
    says: "a rebirth request has the metric Node Control/Rebirth, by that name",
  }),
  rebirthRequestValue: rule("warn", {
    ids: "operational-behavior-data-commands-ncmd-rebirth-value",
    on: "NCMD",
    says: "a rebirth request has the Boolean true",
  }),
  rebirthStops: rule("warn", {
    ids: "operational-behavior-data-commands-rebirth-action-1",
    on: "NDATA DDATA",
    says: "an Edge Node that is asked to be reborn stops publishing data",
  }),
  rebirthDone: rule("warn", {
    ids: "operational-behavior-data-commands-rebirth-action-2",
    on: "TIME",
    says: "an Edge Node that is asked to be reborn publishes NBIRTH and all its DBIRTHs",
  }),
} as const;
