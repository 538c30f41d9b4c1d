/** What the referee of Sparkplug has found, as metrics. */
import type { Referee } from "../sparkplug/mod.ts";
import { byLabel, counter, type Descriptions, gauge, type Metric, metricsOfOne } from "./metric.ts";

/** Counts of all Edge Nodes and hosts. */
type Census = ReturnType<Referee["census"]>;

/** What is kept of the traffic, and what was too much. */
interface TrafficFigures {
  readonly recordedBytes: number;
  readonly unrecorded: number;
  readonly jsonLeft: number;
  readonly alarms: number;
  readonly alarmsUntold: number;
  /** Payloads decoded in full, and the seconds that took. */
  readonly decoded: number;
  readonly decodingS: number;
}

/** What the referee knows. */
export interface SparkplugFigures extends TrafficFigures {
  readonly census: Census;
  /** Violations by statement; what clients call themselves is no label. */
  readonly violations: Iterable<readonly [string, number]>;
  /** By rule. */
  readonly rebirthsByCause: Iterable<readonly [string, number]>;
}

// What is summed up over the known Edge Nodes falls when one is forgotten: no counter.
const CENSUS = {
  nodesConnected: gauge("relayq_sparkplug_nodes_connected", "Edge Nodes that are connected."),
  nodesOnline: gauge("relayq_sparkplug_nodes_online", "Edge Nodes behind their NBIRTH."),
  nodesKnown: gauge("relayq_sparkplug_nodes", "Edge Nodes that are known."),
  hostsKnown: gauge("relayq_sparkplug_hosts", "Host Applications that are known."),
  devicesOnline: gauge("relayq_sparkplug_devices_online", "Devices behind their DBIRTH."),
  hostsOnline: gauge("relayq_sparkplug_hosts_online", "Host Applications that say so."),
  births: gauge("relayq_sparkplug_births", "Births of the Edge Nodes known and their Devices."),
  deaths: gauge("relayq_sparkplug_deaths", "Deaths of the Edge Nodes known and their Devices."),
  messages: gauge("relayq_sparkplug_messages", "Messages of the Edge Nodes known."),
  withheld: gauge("relayq_sparkplug_withheld", "Those among them that went to nobody."),
  seqGaps: gauge("relayq_sparkplug_seq_gaps", "Gaps in the seq of the Edge Nodes known."),
  rebirthRequests: counter("relayq_sparkplug_rebirth_requests_total", "Rebirths asked for."),
  legacyStates: counter(
    "relayq_sparkplug_legacy_states_total",
    "STATE messages of the time before Sparkplug 3.0.",
  ),
  violations: counter("relayq_sparkplug_breaches_total", "Breaches of rules."),
} as const satisfies Descriptions<Census>;

const UNFIT = {
  nodes: counter("relayq_sparkplug_unfit_nodes_total", "Edge Nodes without room: not judged."),
  devices: counter("relayq_sparkplug_unfit_devices_total", "Devices without room: not judged."),
  metrics: counter("relayq_sparkplug_unfit_metrics_total", "Metrics without room: not judged."),
  hosts: counter("relayq_sparkplug_unfit_hosts_total", "Hosts without room: not judged."),
  violationSubjects: counter(
    "relayq_sparkplug_unfit_subjects_total",
    "Breaches counted under no Edge Node or host because there were too many.",
  ),
} as const satisfies Descriptions<Census["unfit"]>;

const TRAFFIC = {
  recordedBytes: gauge("relayq_sparkplug_recorded_bytes", "Bytes of the messages recorded."),
  unrecorded: counter("relayq_sparkplug_unrecorded_total", "Messages without room to record."),
  decoded: counter("relayq_sparkplug_decoded_total", "Payloads decoded in full."),
  decodingS: counter("relayq_sparkplug_decoding_seconds_total", "Time that took."),
  alarms: counter("relayq_sparkplug_alarms_total", "Two clients for one Edge Node or host."),
  alarmsUntold: counter(
    "relayq_sparkplug_alarms_untold_total",
    "Alarms that sparkplug.alarm_url did not take.",
  ),
  jsonLeft: counter("relayq_sparkplug_json_left_total", "Messages too many to be shown as JSON."),
} as const satisfies Descriptions<TrafficFigures>;

const REBIRTHS = counter(
  "relayq_sparkplug_rebirth_requests_by_cause_total",
  "Rebirths asked for, by the rule whose breach made them necessary.",
);

const VIOLATIONS = counter(
  "relayq_sparkplug_violations_total",
  "Violations, by the tck-id of the statement; a breach may be several.",
);

/** The referee; nothing where nobody is judged. */
export function sparkplugMetrics(sparkplug: SparkplugFigures | null): Metric[] {
  if (sparkplug === null) return [];
  const { census, violations, rebirthsByCause } = sparkplug;
  return [
    ...metricsOfOne<Census>(CENSUS, census),
    ...metricsOfOne<Census["unfit"]>(UNFIT, census.unfit),
    ...metricsOfOne<TrafficFigures>(TRAFFIC, sparkplug),
    byLabel(REBIRTHS, { label: "cause", counts: rebirthsByCause }),
    byLabel(VIOLATIONS, { label: "tck_id", counts: violations }),
  ];
}
