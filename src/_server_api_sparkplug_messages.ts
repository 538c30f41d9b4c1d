/** Recorded messages of Sparkplug as the admin API shows them: decoded, with their verdict. */
import { snakeCased } from "./_server_api_snake_case.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { ApiEdgeNode } from "./admin/mod.ts";
import { type CaptureEntry, parseTopic } from "./sparkplug/mod.ts";

type Desk = NonNullable<SparkplugSide["desk"]>;
type ApiMessage = ApiEdgeNode["messages_recorded"][number];
/** What has a time. */
type TimedEntry = Exclude<CaptureEntry, { kind: "gap" | "subscribe" | "unsubscribe" }>;

/** One of them. */
export function apiMessage(desk: Desk, entry: TimedEntry): ApiMessage {
  const at = new Date(entry.timeMs).toISOString();
  const broken = "broken" in entry ? desk.statementsOf(entry.broken) : [];
  const rest = {
    at,
    kind: entry.kind,
    broken,
    device: null,
    retain: null,
    qos: null,
    action: null,
  };
  switch (entry.kind) {
    case "connect":
      return {
        ...rest,
        type: "CONNECT",
        client_id: entry.client,
        topic: entry.will?.topic ?? null,
        bytes: entry.will?.payload.length ?? 0,
        decoded: entry.will === null
          ? null
          : snakeCased(desk.decode(entry.will.topic, entry.will.payload)),
      };
    case "close":
      return {
        ...rest,
        type: entry.disconnect ? "DISCONNECT" : "CLOSE",
        client_id: entry.client,
        topic: null,
        bytes: 0,
        decoded: null,
      };
    default: {
      const topic = parseTopic(entry.topic);
      const parsed = topic?.kind === "topic" ? topic : null;
      return {
        ...rest,
        type: parsed?.type ?? "",
        device: parsed?.device ?? null,
        client_id: entry.kind === "publish" ? entry.client : null,
        topic: entry.topic,
        qos: entry.qos,
        retain: entry.retain,
        bytes: entry.payload.length,
        action: entry.kind === "publish" ? entry.action : null,
        decoded: snakeCased(desk.decode(entry.topic, entry.payload)),
      };
    }
  }
}
