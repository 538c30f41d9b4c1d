/**
 * Pages out of tables that are walked where they stand. Nothing is copied but the page: the first
 * items behind the cursor, in the order of their names. Whoever pages sees everything that is there
 * all the time once, whatever comes and goes meanwhile.
 */
import { decodeCursor, encodeCursor, type Page } from "./admin/mod.ts";

/** Steps after which other work gets its chance. */
const STEPS_PER_PAUSE = 1_000;
/** A cursor has to fit into the target of a request: longer names are cut in it. */
const NAME_LENGTH_MAX = 1_000;

/** How items follow each other. */
export interface Order<T> {
  /** Below 0 where `a` comes first; never 0 for two items. */
  compare(a: T, b: T): number;
  /** The same for an item and a name, which may be cut off. */
  compareToName(item: T, name: string): number;
  nameOf(item: T): string;
}

/** What is asked for. */
export interface Selection<T> {
  readonly order: Order<T>;
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Asked last, and only of what could still come on the page. */
  readonly isWanted: (item: T) => boolean;
  /** Resolves when others have had their chance. */
  readonly pause: () => Promise<void>;
}

/** A place in the order: behind `name`, or behind so many items from `name` on. */
export interface Place {
  readonly name: string;
  /** 0: `name` is whole. */
  readonly skip: number;
}

/** The items of a page, and where the next one begins; null is a cursor that is none. */
export async function select<T>(
  walk: Iterable<T | null>,
  selection: Selection<T>,
): Promise<Omit<Page<T>, "total"> | null> {
  const { order, limit, cursor } = selection;
  const place = readPlace(cursor);
  if (place === "none") return null;
  const skip = place?.skip ?? 0;
  const first = await firstOf(walk, { ...selection, place, count: limit + skip + 1 });
  const items = first.slice(skip, skip + limit);
  const hasMore = first.length > skip + limit;
  const names = first.slice(0, skip + limit).map((item) => order.nameOf(item));
  return { items, next: hasMore ? writePlace(names) : null };
}

/** The first `count` items from a place on. */
export async function firstOf<T>(
  walk: Iterable<T | null>,
  { order, place, count, isWanted, pause }:
    & Pick<Selection<T>, "order" | "isWanted" | "pause">
    & { place: Place | null; count: number },
): Promise<readonly T[]> {
  let found: T[] = [];
  let last: T | undefined;
  let steps = 0;
  for (const item of walk) {
    if (++steps % STEPS_PER_PAUSE === 0) await pause();
    if (item === null) continue;
    if (place !== null) {
      const side = order.compareToName(item, place.name);
      if (side < 0 || (side === 0 && place.skip === 0)) continue;
    }
    if (last !== undefined && order.compare(item, last) > 0) continue;
    if (!isWanted(item)) continue;
    found.push(item);
    if (found.length < 2 * count) continue;
    found = found.sort((a, b) => order.compare(a, b)).slice(0, count);
    last = found.at(-1);
  }
  return found.sort((a, b) => order.compare(a, b)).slice(0, count);
}

/** The place that a cursor stands for; null for the beginning. */
export function readPlace(cursor: string | undefined): Place | null | "none" {
  if (cursor === undefined) return null;
  const { skip, name } = /^(?<skip>[0-9]{1,7}):(?<name>.*)$/s.exec(decodeCursor(cursor) ?? "")
    ?.groups ?? {};
  return name === undefined ? "none" : { name, skip: Number(skip) };
}

/** The cursor behind the last one of these names, which are in order, from the place before on. */
export function writePlace(names: readonly string[]): string {
  const last = names.at(-1)!;
  if (last.length <= NAME_LENGTH_MAX) return encodeCursor(`0:${last}`);
  const cut = last.slice(0, NAME_LENGTH_MAX).toWellFormed();
  const name = cut.endsWith("\ufffd") ? cut.slice(0, -1) : cut;
  const skip = names.filter((one) => one.startsWith(name)).length;
  return encodeCursor(`${skip}:${name}`);
}

/** Names in the order of their UTF-16 code units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
