/** Recorded traffic of Edge Nodes: one JSON object in a line, judged again by `judgeCapture`. */
import type { WillFacts } from "./connect_judge.ts";
import type { RefereeClient } from "./node_state.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { Referee } from "./referee.ts";
import type { RefereeOptions } from "./referee_options.ts";
import type { RuleName } from "./rules.ts";
import { parseTopic } from "./topic.ts";

/** A message of a capture. */
interface CapturedMessage {
  readonly timeMs: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** One fact of a capture; `broken` are the rules that it broke when it was recorded. */
export type CaptureEntry =
  | {
    readonly kind: "connect";
    readonly timeMs: number;
    readonly client: string;
    readonly cleanSession: boolean;
    readonly will: WillFacts | null;
    readonly broken: readonly RuleName[];
  }
  | {
    readonly kind: "subscribe";
    readonly client: string;
    readonly filter: string;
    readonly qos: number;
  }
  | { readonly kind: "unsubscribe"; readonly client: string; readonly filter: string }
  | CapturedMessage & {
    readonly kind: "publish";
    readonly client: string;
    readonly action: "route" | "drop" | "close";
    readonly broken: readonly RuleName[];
  }
  | CapturedMessage & { readonly kind: "will" }
  | {
    readonly kind: "close";
    readonly timeMs: number;
    readonly client: string;
    readonly disconnect: boolean;
    readonly broken: readonly RuleName[];
  }
  /** Messages of an Edge Node are missing here. */
  | {
    readonly kind: "gap";
    readonly group: string;
    readonly node: string;
    readonly lost: number;
  };

const FORMAT = "relayq-sparkplug-capture";
const VERSION = 1;
const KINDS: ReadonlySet<unknown> = new Set([
  "connect",
  "subscribe",
  "unsubscribe",
  "publish",
  "will",
  "close",
  "gap",
]);

/**
 * The text of a capture file: a line that says what it is, then a line for each entry. Without the
 * first line, what is to be written behind it.
 */
export function captureText(entries: readonly CaptureEntry[], withHead = true): string {
  const lines = withHead ? [JSON.stringify({ format: FORMAT, version: VERSION })] : [];
  for (const entry of entries) lines.push(JSON.stringify(entry, encodeBytes));
  return lines.join("\n") + "\n";
}

/** Puts the records of several Edge Nodes together, as they happened. */
export function inOrderOfTime(records: readonly (readonly CaptureEntry[])[]): CaptureEntry[] {
  const timed = records.flatMap((entries) => {
    let timeMs = 0;
    return entries.map((entry) => {
      // What has no time of its own happened behind the entry before it.
      if ("timeMs" in entry) timeMs = Math.max(timeMs, entry.timeMs);
      return { entry, timeMs };
    });
  });
  return timed.sort((a, b) => a.timeMs - b.timeMs).map(({ entry }) => entry);
}

/** Reads a capture file. */
export function parseCapture(
  text: string,
): readonly CaptureEntry[] | { readonly problem: string } {
  const lines = text.split("\n");
  const head = parseLine(lines[0] ?? "");
  if (head?.["format"] !== FORMAT) return { problem: "line 1: this is no Sparkplug capture" };
  if (head["version"] !== VERSION) return { problem: `line 1: unknown version ${head["version"]}` };
  const entries: CaptureEntry[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === "") continue;
    const entry = parseLine(line);
    const problem = entry === null ? "not a JSON object" : entryProblem(entry);
    if (problem !== null) return { problem: `line ${index + 1}: ${problem}` };
    entries.push(entry as unknown as CaptureEntry);
  }
  return entries;
}

/** Judges a capture again, as if it happened now. */
export function judgeCapture(
  entries: readonly CaptureEntry[],
  codec: PayloadCodec,
  options: RefereeOptions,
): Referee {
  const referee = new Referee(codec, { ...options, mode: "monitor" });
  const clients = new Map<string, RefereeClient>();
  let nowMs = 0;
  for (const entry of entries) {
    if ("timeMs" in entry) {
      nowMs = entry.timeMs;
      referee.tick(nowMs);
    }
    judgeEntry(entry, { referee, clients, nowMs });
  }
  return referee;
}

function judgeEntry(
  entry: CaptureEntry,
  state: { referee: Referee; clients: Map<string, RefereeClient>; nowMs: number },
): void {
  const { referee, clients, nowMs } = state;
  if (entry.kind === "gap") {
    referee.gap(entry.group, entry.node);
    return;
  }
  if (entry.kind === "connect") {
    const { client: clientIdentifier, cleanSession, will } = entry;
    const { client } = referee.connected({ clientIdentifier, cleanSession, will }, nowMs);
    clients.set(clientIdentifier, client);
    return;
  }
  if (entry.kind === "will") {
    const topic = parseTopic(entry.topic);
    if (topic?.kind === "topic") referee.announced({ ...entry, ...bounds(entry), topic, nowMs });
    return;
  }
  const client = clients.get(entry.client) ?? stranger(entry.client, state);
  if (entry.kind === "subscribe") referee.subscribed(client, entry);
  else if (entry.kind === "unsubscribe") referee.unsubscribed(client, entry.filter);
  else if (entry.kind === "close") {
    referee.closed(client, { disconnect: entry.disconnect, nowMs });
    clients.delete(entry.client);
  } else {
    const topic = parseTopic(entry.topic);
    if (topic?.kind !== "topic") return;
    referee.publish(client, { ...entry, ...bounds(entry), topic, nowMs });
  }
}

/** Somebody whose CONNECT is not in the capture: a host that sends commands. */
function stranger(
  clientIdentifier: string,
  state: { referee: Referee; clients: Map<string, RefereeClient>; nowMs: number },
): RefereeClient {
  const facts = { clientIdentifier, cleanSession: true, will: null };
  const { client } = state.referee.connected(facts, state.nowMs);
  client.commandJudged = true;
  state.clients.set(clientIdentifier, client);
  return client;
}

function bounds({ payload }: CapturedMessage): { bytes: Uint8Array; start: 0; end: number } {
  return { bytes: payload, start: 0, end: payload.length };
}

function encodeBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: value.toBase64() } : value;
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(line, decodeBytes);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function decodeBytes(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("base64" in value)) return value;
  return typeof value.base64 === "string" ? Uint8Array.fromBase64(value.base64) : value;
}

function entryProblem(entry: Record<string, unknown>): string | null {
  const { kind } = entry;
  if (!KINDS.has(kind)) return `unknown kind ${JSON.stringify(kind)}`;
  if (kind === "gap") return typeof entry["group"] === "string" ? null : "group is missing";
  if (kind !== "will" && typeof entry["client"] !== "string") return "client is missing";
  const timed = kind !== "subscribe" && kind !== "unsubscribe";
  if (timed && typeof entry["timeMs"] !== "number") return "timeMs is missing";
  if (!timed && typeof entry["filter"] !== "string") return "filter is missing";
  if (kind !== "publish" && kind !== "will") {
    return kind === "connect" && !isWill(entry["will"]) ? "will is not one" : null;
  }
  return isWill(entry) ? null : "topic or payload is missing";
}

function isWill(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object" || value === undefined) return false;
  const { topic, payload } = value as { topic?: unknown; payload?: unknown };
  return typeof topic === "string" && payload instanceof Uint8Array;
}
