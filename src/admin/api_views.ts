/** What several resources of the API have in common: payloads, and lists that somebody else pages. */
import type { Page, PageQuery } from "./paging.ts";
import { problem } from "./problem.ts";
import { boolean, integer, nullable, object, text, type ValueOf } from "./schema.ts";

/** Characters of a payload that lists show. */
const PREVIEW_LENGTH_MAX = 200;
/** Bytes of a payload that one answer carries. */
export const PAYLOAD_BYTES_MAX = 1_048_576;
/** Enough for the preview, whatever its characters are. */
export const PREVIEW_BYTES_MAX = 4 * PREVIEW_LENGTH_MAX;

/** Fields that tell what a payload is about. */
export const PREVIEW = {
  payload_bytes: integer(),
  payload_preview: nullable(
    text({ description: `Its first ${PREVIEW_LENGTH_MAX} characters; null where it is no text.` }),
  ),
} as const;

/** Fields that tell a payload. */
export const PAYLOAD = {
  payload_bytes: integer(),
  payload_base64: text({ format: "byte" }),
  payload_text: nullable(text({ description: "The same, where it is UTF-8; else null." })),
  payload_is_cut: boolean(`Whether it is longer than ${PAYLOAD_BYTES_MAX} bytes, and cut there.`),
} as const;

const PREVIEW_OBJECT = object(PREVIEW);
const PAYLOAD_OBJECT = object(PAYLOAD);

/** The fields of `PREVIEW`. `bytes` may be its beginning only. */
export function previewOf(bytes: Uint8Array, payloadBytes: number): ValueOf<typeof PREVIEW_OBJECT> {
  const head = bytes.subarray(0, PREVIEW_BYTES_MAX);
  const whole = textOf(head, payloadBytes > head.length);
  const preview = whole === null ? null : [...whole].slice(0, PREVIEW_LENGTH_MAX).join("");
  return { payload_bytes: payloadBytes, payload_preview: preview };
}

/** The fields of `PAYLOAD`. `bytes` may be its beginning only. */
export function payloadOf(bytes: Uint8Array, payloadBytes: number): ValueOf<typeof PAYLOAD_OBJECT> {
  const head = bytes.subarray(0, PAYLOAD_BYTES_MAX);
  const isCut = payloadBytes > head.length;
  return {
    payload_bytes: payloadBytes,
    payload_base64: head.toBase64(),
    payload_text: textOf(head, isCut),
    payload_is_cut: isCut,
  };
}

/** The text that bytes are; null if they are none. What is cut may end within a character. */
function textOf(bytes: Uint8Array, isCut: boolean): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, {
      stream: isCut,
    });
  } catch {
    return null;
  }
}

/** Pages a list with these filters; null for a cursor that is none. */
export type Listing<Item, Filters = Record<never, never>> = (
  query: PageQuery & Filters,
) => Promise<Page<Item> | null>;

/** The page, or the problem that its cursor is. */
export function pageOr400<T>(page: Page<T> | null): Page<T> | Response {
  return page ?? problem(400, "cursor is none of ours");
}

/** What became of a change. */
export type Outcome =
  | "done"
  | "none"
  /** It is made, and the store has not written it down. */
  | "unwritten";

/** The answer to a change: nothing, or a problem. `what` there is none of, for people. */
export function answerTo(outcome: Outcome, what: string): Response | undefined {
  if (outcome === "none") return problem(404, `there is no ${what}`);
  return outcome === "unwritten" ? notWritten() : undefined;
}

/** What has been done may be undone by a crash. */
export function notWritten(): Response {
  return problem(503, "it is done, but the store has not written it down: see /api/v1/status");
}
