/** What is known of Edge Nodes, Devices and clients. All of it is bounded by the referee. */
import type { HostState } from "./state_payload.ts";
import { MetricTable } from "./metric_table.ts";
import type { SparkplugTopic } from "./topic.ts";

/** A client, from its CONNECT to its end. */
export class RefereeClient {
  readonly clientIdentifier: string;
  readonly connectedMs: number;
  /** The Edge Node whose NDEATH is its Will, or that it took without one. */
  node: EdgeNode | null = null;
  /** The host whose STATE is its Will. */
  host: Host | null = null;
  /** Whether the node or the host is from its Will. */
  willed = false;
  willBdSeq: number | null = null;
  willTimestamp: number | null = null;
  /** QoS by Topic Filter, of those that may concern Sparkplug. */
  readonly filters = new Map<string, number>();
  /** Whether it has published NDEATH or a STATE with online false. */
  saidGoodbye = false;
  /** Whether its first message as a host, and its first command, have been judged. */
  firstJudged = false;
  commandJudged = false;
  willJudged = false;
  /** The topic it published to last, with what belongs to it. */
  lastTopic: SparkplugTopic | null = null;
  lastScope: Device | EdgeNode | null = null;

  constructor(clientIdentifier: string, connectedMs: number) {
    this.clientIdentifier = clientIdentifier;
    this.connectedMs = connectedMs;
  }
}

/** Members of a Template's definition. */
export interface TemplateShape {
  readonly members: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
}

/** A Device of an Edge Node. */
export class Device {
  readonly name: string;
  born = false;
  /** Whether it was born since the last NBIRTH. */
  bornSinceNbirth = false;
  metrics = new MetricTable();
  /** Order-free hash of its metrics' names. */
  signature = 0;
  births = 0;
  deaths = 0;
  messages = 0;
  lastBirthMs = 0;
  lastDeathMs = 0;
  lastDeathCause = "";
  lastMessageMs = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** An Edge Node. */
export class EdgeNode {
  /** `G/E`, the Edge Node Descriptor. */
  readonly key: string;
  readonly group: string;
  readonly name: string;
  owner: RefereeClient | null = null;
  /** Whether it was here since the start; else it is known by a birth that was kept. */
  heard = false;
  born = false;
  /** seq of the last message; -1 if it is not known. */
  seq = -1;
  bdSeq: number | null = null;
  /** bdSeq of the last CONNECT, from before a restart as well. */
  lastBdSeq: number | null = null;
  /** Whether a message was withheld, so that only a birth makes it whole again. */
  needsRebirth = false;
  /** Whether data came since the last NBIRTH. */
  dataSeen = false;
  metrics = new MetricTable();
  templates: Map<string, TemplateShape> = new Map();
  readonly devices = new Map<string, Device>();
  /** Metrics kept, of the node and of its Devices. */
  metricCount = 0;
  /** When a rebirth request reached it that it has not followed; 0 if none. */
  rebirthAskedMs = 0;
  rebirthStopJudged = false;
  /** Devices that were born before the last NBIRTH and have to be again, until when. */
  awaitedDevices: Set<string> | null = null;
  awaitedUntilMs = 0;
  /** When its primary host went offline; 0 if it did not. */
  hostOfflineMs = 0;
  /** When it heard of an offline that is older than the online; 0 if it did not. */
  staleOfflineMs = 0;
  births = 0;
  deaths = 0;
  rebirthsAsked = 0;
  lastRebirthMs = 0;
  /** Who asked for it, or what made the broker ask. */
  lastRebirthCause = "";
  messages = 0;
  bytes = 0;
  /** Over the last second, and what was counted before it. */
  messagesPerS = 0;
  bytesPerS = 0;
  ratedMessages = 0;
  ratedBytes = 0;
  withheld = 0;
  seqGaps = 0;
  lastBirthMs = 0;
  lastDeathMs = 0;
  lastDeathCause = "";
  lastMessageMs = 0;
  /** Timestamp of the last payload less the time it came. */
  clockSkewMs = 0;

  constructor(group: string, name: string) {
    this.key = `${group}/${name}`;
    this.group = group;
    this.name = name;
  }
}

/** A Host Application. */
export class Host {
  readonly name: string;
  owner: RefereeClient | null = null;
  state: HostState | null = null;
  /** Timestamp of the last STATE with online true; -1 if there was none. */
  onlineTimestamp = -1;
  /** Timestamp of the last Will; -1 if there was none. */
  willTimestamp = -1;
  /** When it was told that it is offline; 0 if it was not. */
  toldOfflineMs = 0;
  births = 0;
  deaths = 0;

  constructor(name: string) {
    this.name = name;
  }
}
