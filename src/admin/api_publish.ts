/** Messages that an operator publishes. */
import { notWritten } from "./api_views.ts";
import type { Caller } from "./caller.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import { boolean, integer, object, optional, text, withDefault } from "./schema.ts";

const QOS = integer({ min: 0, max: 2 });

const PUBLISH = defineRoute({
  method: "POST",
  path: "/api/v1/publish",
  role: "operate",
  tag: "publish",
  summary: "Publish a message; answered when it is committed",
  body: object({
    topic: text({ lengthMin: 1 }),
    payload: optional(text({ description: "As text." })),
    payload_base64: optional(text({ format: "byte", description: "Instead of payload." })),
    qos: withDefault(QOS, 0),
    retain: withDefault(boolean("An empty payload removes what is retained."), false),
  }),
  answer: object({
    matched: integer({ description: "Sessions with a subscription that matches." }),
  }),
  problems: [422, 503],
});

/** The definitions. */
export const PUBLISH_DEFINITIONS = [PUBLISH] as const;

/** A message to be published. */
export interface ApiMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** Publishes; gives what is wrong with the message instead, if anything is. */
export type ApiPublisher = (message: ApiMessage, caller: Caller) => Promise<
  { readonly matched: number; readonly committed: boolean } | { readonly problem: string }
>;

/** The routes. */
export function publishRoutes(publish: ApiPublisher): readonly ApiRoute[] {
  return [
    serve(PUBLISH, async ({ body, caller, concerns }) => {
      const { topic, payload, payload_base64: encoded, retain } = body;
      concerns(topic);
      if (payload !== undefined && encoded !== undefined) {
        return problem(422, "payload and payload_base64 are one too many");
      }
      const bytes = encoded === undefined
        ? new TextEncoder().encode(payload ?? "")
        : bytesOf(encoded);
      if (bytes === null) return problem(422, "payload_base64 is no base64");
      const qos = body.qos as ApiMessage["qos"];
      const published = await publish({ topic, payload: bytes, qos, retain }, caller);
      if ("problem" in published) return problem(422, published.problem);
      const { matched, committed } = published;
      return committed ? { matched } : notWritten();
    }),
  ];
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return null;
  }
}
