/** Topic Names of Sparkplug B: what they say, or what is wrong with them. */

/** The namespace of encoding B; 3.0 is the version of the document, the token did not change. */
export const NAMESPACE = "spBv1.0";
/** Where the server keeps the birth certificates, in front of the topic of the birth. */
export const CERTIFICATE_PREFIX = "$sparkplug/certificates/";

const PREFIX = NAMESPACE + "/";
const RETIRED_PREFIX = "spAv1.0/";

/** Message types that an Edge Node sends or receives for itself. */
export type NodeMessageType = "NBIRTH" | "NDATA" | "NDEATH" | "NCMD";
/** Message types that are about a Device. */
export type DeviceMessageType = "DBIRTH" | "DDATA" | "DDEATH" | "DCMD";
/** The nine message types. */
export type MessageType = NodeMessageType | DeviceMessageType | "STATE";

const NODE_TYPES: ReadonlySet<string> = new Set(["NBIRTH", "NDATA", "NDEATH", "NCMD"]);
const DEVICE_TYPES: ReadonlySet<string> = new Set(["DBIRTH", "DDATA", "DDEATH", "DCMD"]);

/** A legal Sparkplug topic. */
export interface SparkplugTopic {
  readonly kind: "topic";
  readonly version: typeof NAMESPACE;
  readonly type: MessageType;
  /** Empty for STATE. */
  readonly group: string;
  /** Edge Node ID; empty for STATE. */
  readonly node: string;
  /** Device ID; null for what is not about a Device. */
  readonly device: string | null;
  /** Host Application ID of STATE; null for the others. */
  readonly host: string | null;
}

/** Why a topic that begins like one of Sparkplug is none. */
export interface TopicFault {
  readonly kind: "fault";
  /** The statement that it breaks, in full: `tck-id-topic-structure`. */
  readonly tckId: TopicTckId;
  /** What is wrong, for people. */
  readonly detail: string;
}

/** Statements that a topic alone can break. */
export type TopicTckId =
  | "tck-id-topic-structure"
  | "tck-id-topic-structure-namespace-a"
  | "tck-id-topic-structure-namespace-valid-group-id"
  | "tck-id-topic-structure-namespace-valid-edge-node-id"
  | "tck-id-topic-structure-namespace-valid-device-id"
  | "tck-id-topic-structure-namespace-device-id-associated-message-types"
  | "tck-id-topic-structure-namespace-device-id-non-associated-message-types";

/**
 * Reads a Topic Name. Null if it is none of Sparkplug's: such topics pass unjudged. Wildcards and
 * U+0000 cannot stand in a Topic Name, so an identifier can only be faulty by being empty.
 */
export function parseTopic(topic: string): SparkplugTopic | TopicFault | null {
  if (!topic.startsWith(PREFIX)) {
    return topic.startsWith(RETIRED_PREFIX)
      ? fault("topic-structure-namespace-a", "the namespace spAv1.0 is retired")
      : null;
  }
  const levels = topic.split("/");
  const [, group, type, node, device] = levels;
  if (group === "STATE" && levels.length <= 3) return stateTopic(levels);
  if (type === "STATE") return fault("topic-structure", "STATE stands behind the namespace");
  const nodeType = NODE_TYPES.has(type ?? "");
  const deviceType = DEVICE_TYPES.has(type ?? "");
  if (group === "STATE" && !nodeType && !deviceType) {
    return fault("topic-structure", `STATE has 3 levels, not ${levels.length}`);
  }
  if (!nodeType && !deviceType) {
    return fault("topic-structure", `unknown message type ${JSON.stringify(type ?? "")}`);
  }
  if (levels.length < 4 || levels.length > 5) {
    return fault("topic-structure", `${type} does not have ${levels.length} levels`);
  }
  if (nodeType && device !== undefined) {
    const id = "topic-structure-namespace-device-id-non-associated-message-types";
    return fault(id, `${type} has no Device ID`);
  }
  if (deviceType && device === undefined) {
    const id = "topic-structure-namespace-device-id-associated-message-types";
    return fault(id, `${type} lacks its Device ID`);
  }
  if (group === "") return fault("topic-structure-namespace-valid-group-id", "empty Group ID");
  if (node === "") {
    return fault("topic-structure-namespace-valid-edge-node-id", "empty Edge Node ID");
  }
  if (device === "") return fault("topic-structure-namespace-valid-device-id", "empty Device ID");
  return {
    kind: "topic",
    version: NAMESPACE,
    type: type as NodeMessageType | DeviceMessageType,
    group: group!,
    node: node!,
    device: device ?? null,
    host: null,
  };
}

/** `spBv1.0/STATE/H`: with three levels it is always that, never a group of that name. */
function stateTopic(levels: readonly string[]): SparkplugTopic | TopicFault {
  const host = levels[2];
  if (host === undefined || host === "") {
    return fault("topic-structure", "STATE lacks its Host Application ID");
  }
  return {
    kind: "topic",
    version: NAMESPACE,
    type: "STATE",
    group: "",
    node: "",
    device: null,
    host,
  };
}

type WithoutPrefix<T> = T extends `tck-id-${infer Rest}` ? Rest : never;

function fault(id: WithoutPrefix<TopicTckId>, detail: string): TopicFault {
  return { kind: "fault", tckId: `tck-id-${id}`, detail };
}
