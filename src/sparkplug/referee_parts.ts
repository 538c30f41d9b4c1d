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

/** Decodes a payload, and the one that is compressed within it; nothing is no payload. */
export function decodePayload(
  { codec, options }: RefereeParts,
  facts: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
): DecodedPayload {
  const { bytes, start, end } = facts;
  if (start === end) return { problem: "there is no payload" };
  const outer = codec.decode(bytes, start, end);
  if ("problem" in outer || outer.payload.uuid !== COMPRESSED) return outer;
  const inflated = inflatedBody(outer.payload, options, codec);
  if (inflated === null) {
    return { problem: "the compressed body cannot be inflated within its limits" };
  }
  const inner = codec.decode(inflated);
  if ("problem" in inner) return inner;
  // seq stands outside as well, the timestamp only within. A second wrapping is not looked into.
  const seq = outer.payload.seq ?? inner.payload.seq;
  return { payload: { ...inner.payload, seq }, illFormedVersion: inner.illFormedVersion };
}

function inflatedBody(
  { body, metrics }: Payload,
  { inflate }: RefereeOptions,
  { limits }: PayloadCodec,
): Uint8Array | null {
  if (body === null || inflate === null) return null;
  const named = metrics.find(({ name }) => name === "algorithm")?.value;
  const algorithm = named?.kind === "string" ? named.value.toUpperCase() : "DEFLATE";
  if (algorithm !== "DEFLATE" && algorithm !== "GZIP") return null;
  return inflate(body, algorithm, limits.inflatedBytesMax);
}
