/** The last values of the metrics of one Edge Node or one Device, as bytes of the wire. */
import { copyBytes } from "../mqtt/mod.ts";
import { BornMetric, MetricTable, sameBytes } from "./metric_table.ts";
import { MetricReader } from "./metric_reader.ts";
import type { Metric } from "./payload.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";

/** What a metric takes besides its bytes and its name, about, as measured. */
const SLOT_BYTES = 700;
/** Room that is made for a metric's bytes at least, and beyond which it is given back. */
const BYTES_MIN = 16;
const BYTES_GENEROUS = 256;

/** A message on a topic of Sparkplug: `bytes[start, end)` is its payload. */
export interface ValueMessage {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly nowMs: number;
}

/** The room that all values together have. */
export interface ValueRoom {
  /** Takes so many bytes for a metric that is new (`metrics` 1) or has grown (0); false if there is no room. */
  take(bytes: number, metrics: 0 | 1): boolean;
  /** Gives bytes back. */
  give(bytes: number, metrics: number): void;
}

/** A metric with the last message about it. */
export class ValueSlot extends BornMetric {
  override next: ValueSlot | null = null;
  /** The metric as it came; null where there was no room. */
  bytes: Uint8Array | null = null;
  length = 0;
  /** The time of its message, in ms since 1970; -1 if that had none. */
  sentMs = -1;
  /** When it came. */
  cameMs = 0;
}

/** Metrics in a message that is read: what is found is carried out when all of it makes sense. */
class Findings {
  readonly slots: ValueSlot[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  sentMs = -1;
  /** Metrics that are not in the birth. */
  unknown = 0;
  /** Whether the content may be compressed. */
  marked = false;

  clear(): void {
    this.slots.length = 0;
    this.starts.length = 0;
    this.ends.length = 0;
    this.sentMs = -1;
    this.unknown = 0;
    this.marked = false;
  }
}

/** Values of one scope; a birth makes a new table. */
export class ValueTable {
  readonly #room: ValueRoom;
  readonly #metrics = new MetricTable<ValueSlot>();
  /** Metrics of the birth that found no room. */
  left = 0;

  /** A table of these metrics, of which those are left out that find no room. */
  constructor(metrics: readonly Metric[], room: ValueRoom) {
    this.#room = room;
    for (const metric of metrics) {
      if (metric.name === null) continue;
      const slot = new ValueSlot(metric);
      const bytes = SLOT_BYTES + 2 * slot.nameBytes.length;
      if (!room.take(bytes, 1)) this.left++;
      else if (!this.#metrics.add(slot)) room.give(bytes, 1);
    }
  }

  /** In the order of the birth. */
  get slots(): readonly ValueSlot[] {
    return this.#metrics.metrics;
  }

  /** Gives all of its room back. */
  release(): void {
    for (const { bytes, nameBytes } of this.slots) {
      this.#room.give(SLOT_BYTES + 2 * nameBytes.length + (bytes?.length ?? 0), 1);
    }
  }

  /** The metric that `reader` has read; `previous` stood before it. */
  find(
    reader: MetricReader,
    bytes: Uint8Array,
    { end, previous }: { end: number; previous: ValueSlot | null },
  ): ValueSlot | null {
    const table = this.#metrics;
    const expected = previous === null ? table.first : previous.next;
    const { nameStart, nameEnd } = reader;
    let slot: ValueSlot | null = null;
    if (nameStart >= 0) {
      if (expected !== null && sameBytes(expected.nameBytes, bytes, nameStart, nameEnd)) {
        return expected;
      }
      slot = table.byName(bytes, nameStart, nameEnd);
    }
    if (slot === null && reader.aliasAt >= 0) {
      const alias = reader.exactAlias(bytes, end);
      if (expected !== null && expected.alias === alias) return expected;
      slot = table.byAlias(alias);
    }
    if (slot === null) return null;
    if (previous === null) table.first = slot;
    else previous.next = slot;
    return slot;
  }

  /** Puts `bytes[start, end)` in the place of what was there; false if there is no room. */
  keep(
    slot: ValueSlot,
    bytes: Uint8Array,
    { start, end }: { start: number; end: number },
  ): boolean {
    const length = end - start;
    const room = slot.bytes?.length ?? 0;
    const isWasteful = room > BYTES_GENEROUS && length < room / 4;
    if (length > room || isWasteful) {
      const size = Math.max(BYTES_MIN, length + (length >> 2));
      this.#room.give(room, 0);
      slot.bytes = this.#room.take(size, 0) ? new Uint8Array(size) : null;
    }
    slot.length = slot.bytes === null ? 0 : length;
    if (slot.bytes === null) return false;
    copyBytes(bytes, start, end, slot.bytes, 0);
    return true;
  }
}

/** Reads messages into tables; one object serves all. */
export class ValueReader {
  readonly #found = new Findings();
  readonly #metric = new MetricReader();
  readonly #cursor = new FieldCursor();
  /** Values that were given up for want of room, and metrics that no birth knew. */
  unkept = 0;
  unknown = 0;

  /**
   * Takes over what a message says; false, and nothing is changed, if it is not Protocol Buffers.
   * Nothing is changed either if it may be compressed and the caller does not know that it is not.
   */
  read(
    table: ValueTable,
    message: ValueMessage,
    { mayBeCompressed }: { readonly mayBeCompressed: boolean },
  ): boolean | "compressed" {
    const { bytes } = message;
    const found = this.#found;
    found.clear();
    if (!this.#scan(table, message)) return false;
    if (found.marked && mayBeCompressed) return "compressed";
    this.unknown += found.unknown;
    const { slots, starts, ends, sentMs } = found;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (!table.keep(slot, bytes, { start: starts[i]!, end: ends[i]! })) this.unkept++;
      slot.sentMs = sentMs;
      slot.cameMs = message.nowMs;
    }
    return true;
  }

  #scan(table: ValueTable, { bytes, start: begin, end }: ValueMessage): boolean {
    const reader = this.#metric;
    const found = this.#found;
    let at = begin;
    while (at < end) {
      const tag = bytes[at];
      if (tag === 0x12) {
        const length = reader.varint(bytes, at + 1, end);
        const start = reader.position;
        if (length < 0 || start + length > end) return false;
        at = start + length;
        if (!this.#one(table, bytes, { start, end: at })) return false;
      } else if (tag === 0x08) {
        found.sentMs = reader.varint(bytes, at + 1, end);
        if (found.sentMs < 0) return false;
        at = reader.position;
      } else {
        at = this.#other(bytes, at, end);
        if (at < 0) return false;
      }
    }
    return true;
  }

  #one(table: ValueTable, bytes: Uint8Array, range: { start: number; end: number }): boolean {
    const { start, end } = range;
    const reader = this.#metric;
    if (!reader.read(bytes, start, end)) return false;
    const { slots, starts, ends } = this.#found;
    const slot = table.find(reader, bytes, { end, previous: slots.at(-1) ?? null });
    if (slot === null) {
      this.#found.unknown++;
      return true;
    }
    if (reader.historical) return true; // it says what was, not what is
    slots.push(slot);
    starts.push(start);
    ends.push(end);
    return true;
  }

  /** Any other field; gives its end, or -1. */
  #other(bytes: Uint8Array, at: number, end: number): number {
    const cursor = this.#cursor;
    cursor.open(bytes, at, end);
    if (!cursor.next()) return -1;
    if (cursor.field === 4 && cursor.wireType === WireType.bytes) this.#found.marked = true;
    return cursor.position;
  }
}
