/** What the judges of the referee share. */
import type { DecodedPayload, PayloadCodec } from "./payload_codec.ts";
import type { Judgement } from "./judgement.ts";
import type { Device, EdgeNode, RefereeClient } from "./node_state.ts";
import type { Payload } from "./payload.ts";
import type { RefereeOptions } from "./referee_options.ts";
import type { Registry } from "./registry.ts";
import type { SparkplugTopic } from "./topic.ts";

/** One PUBLISH; the caller may use one object for all. */
export interface PublishFacts {
  readonly topic: SparkplugTopic;
  /** The payload is `bytes[start, end)`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly nowMs: number;
  /** What is kept with the topic, if the caller keeps something with it. */
  readonly place?: TopicPlace | undefined;
}

/** What was found for a topic: nothing has to be looked up for the next message of the same client. */
export interface TopicPlace {
  /** The owner of the Edge Node, whose topic this is. */
  client: RefereeClient | null;
  scope: EdgeNode | Device | null;
}

/** What the judges share. */
export interface RefereeParts {
  readonly options: RefereeOptions;
  readonly codec: PayloadCodec;
  readonly judgement: Judgement;
  readonly registry: Registry;
}

/** What `uuid` of a payload says whose body is compressed. */
const COMPRESSED = "SPBV1.0_COMPRESSED";

/** What is needed to look into a payload. */
export interface ContentParts {
  readonly codec: PayloadCodec;
  readonly options: Pick<RefereeOptions, "inflate">;
}

/** Where a payload stands. */
interface PayloadRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Decodes a payload, and the one that is compressed within it; nothing is no payload. */
export function decodePayload(parts: ContentParts, range: PayloadRange): DecodedPayload {
  const { bytes, start, end } = range;
  if (start === end) return { problem: "there is no payload" };
  const outer = parts.codec.decode(bytes, start, end);
  if ("problem" in outer || outer.payload.uuid !== COMPRESSED) return outer;
  const inflated = inflatedBody(outer.payload, parts);
  if (inflated === null) {
    return { problem: "the compressed body cannot be inflated within its limits" };
  }
  const inner = parts.codec.decode(inflated);
  if ("problem" in inner) return inner;
  // seq stands outside as well, the timestamp only within. A second wrapping is not looked into.
  const seq = outer.payload.seq ?? inner.payload.seq;
  return { payload: { ...inner.payload, seq }, illFormedVersion: inner.illFormedVersion };
}

/** The payload within one that is compressed; the same where it is not; null if it cannot be had. */
export function contentOf(parts: ContentParts, range: PayloadRange): PayloadRange | null {
  const { bytes, start, end } = range;
  const outer = parts.codec.decode(bytes, start, end);
  if ("problem" in outer) return null;
  if (outer.payload.uuid !== COMPRESSED) return range;
  const inflated = inflatedBody(outer.payload, parts);
  return inflated === null ? null : { bytes: inflated, start: 0, end: inflated.length };
}

function inflatedBody(
  { body, metrics }: Payload,
  { options: { inflate }, codec: { limits } }: ContentParts,
): Uint8Array | null {
  if (body === null || inflate === null) return null;
  const named = metrics.find(({ name }) => name === "algorithm")?.value;
  const algorithm = named?.kind === "string" ? named.value.toUpperCase() : "DEFLATE";
  if (algorithm !== "DEFLATE" && algorithm !== "GZIP") return null;
  return inflate(body, algorithm, limits.inflatedBytesMax);
}
