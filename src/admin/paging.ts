/** Long lists in pages: `?limit=…&cursor=…` gives `{ items, next, total }`. */
import {
  integer,
  list,
  nullable,
  object,
  optional,
  type Schema,
  text,
  withDefault,
} from "./schema.ts";

/** The fields of a query for a page; spread them into the query of a route. */
export const PAGE_QUERY = {
  limit: withDefault(integer({ min: 1, max: 1_000, description: "Most items of the page." }), 100),
  cursor: optional(text({
    lengthMax: 4_096,
    description: "Where the page begins: `next` of the page before; without it at the beginning.",
  })),
} as const;

/** What a page is asked by. */
export interface PageQuery {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** One page. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
  /** How many items there are on all pages; null where counting would cost too much. */
  readonly total: number | null;
}

/** The schema of a page. */
export function pageOf<T>(item: Schema<T>): Schema<Page<T>> {
  return object({
    items: list(item),
    next: nullable(text({ description: "The cursor of the next page; null on the last one." })),
    total: nullable(
      integer({ description: "Items on all pages; null where nobody has counted them." }),
    ),
  });
}

/** A text as a cursor. What it says is nobody's business but ours, and it needs no encoding. */
export function encodeCursor(position: string): string {
  const bytes = new TextEncoder().encode(position);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The text of a cursor; null where it is none of ours. */
export function decodeCursor(cursor: string): string | null {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The page of a short list in a fixed order: the items whose position is above that of the cursor.
 * `positionOf` gives texts that rise along the list, by their UTF-16 code units. Null for a cursor that
 * is none.
 */
export function pageOfList<T>(
  items: readonly T[],
  { limit, cursor }: PageQuery,
  positionOf: (item: T) => string,
): Page<T> | null {
  const after = cursor === undefined ? null : decodeCursor(cursor);
  if (cursor !== undefined && after === null) return null;
  const rest = after === null ? items : items.filter((item) => positionOf(item) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rest.length > page.length && last !== undefined;
  return {
    items: page,
    next: hasMore ? encodeCursor(positionOf(last)) : null,
    total: items.length,
  };
}
