/** Last values for people and programs: decoded when somebody asks. */
import { dataTypeName } from "./data_type.ts";
import type { ValueScope } from "./last_values.ts";
import type { Metric } from "./payload.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { type Json, qualityOf, valueJson } from "./payload_json.ts";
import type { ValueSlot } from "./value_table.ts";

/** The last known value of a metric. */
export interface LastValue {
  readonly name: string;
  /** A decimal number, so that no bit is lost. */
  readonly alias: string | null;
  readonly dataType: string;
  /** Null where it is null, where it was never said, and where there was no room for it. */
  readonly value: Json;
  /** Of the metric, or else of its message, in ms since 1970; null if neither had one. */
  readonly timestampMs: bigint | null;
  /** When it came, in ms since 1970. */
  readonly cameMs: number;
  /** What the metric says of it: good, bad, stale, or another number; null where it says nothing. */
  readonly quality: string | null;
  /** Whether it may be another one by now: its Edge Node or Device is away, or there was no room. */
  readonly stale: boolean;
}

/** A part of the values of an Edge Node or a Device. */
export interface ValuePage {
  readonly online: boolean;
  /** Since when it is so, in ms since 1970. */
  readonly sinceMs: number;
  /** Why it is away; empty if it is not. */
  readonly cause: string;
  readonly items: readonly LastValue[];
  /** Where the next part begins; null behind the last one. */
  readonly next: number | null;
  /** Metrics of which it is a part. */
  readonly total: number;
}

/** Values from the `from`th on, in the order of the birth, of those with `search` in their name. */
export function valuesOf(
  scope: ValueScope,
  codec: PayloadCodec,
  about: { readonly search: string; readonly from: number; readonly limit: number },
): ValuePage {
  const { search, from, limit } = about;
  const wanted = search.toLowerCase();
  const all = scope.table?.slots ?? [];
  const slots = wanted === "" ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const page = slots.slice(from, from + limit);
  const end = from + page.length;
  return {
    online: scope.alive,
    sinceMs: scope.sinceMs,
    cause: scope.cause,
    items: page.map((slot) => lastValue(slot, codec, scope.alive)),
    next: end < slots.length ? end : null,
    total: slots.length,
  };
}

function lastValue(slot: ValueSlot, codec: PayloadCodec, alive: boolean): LastValue {
  const metric = metricOf(slot, codec);
  const dataType = metric?.dataType ?? slot.dataType;
  return {
    name: slot.name,
    alias: slot.alias === null ? null : String(slot.alias),
    dataType: dataTypeName(dataType),
    value: metric === null || metric.isNull ? null : valueJson(metric.value, dataType),
    timestampMs: metric?.timestamp ?? (slot.sentMs < 0 ? null : BigInt(slot.sentMs)),
    cameMs: slot.cameMs,
    quality: metric === null ? null : qualityOf(metric.properties),
    stale: !alive || metric === null,
  };
}

/** The metric as it came; null where it was not kept, or is within no limits. */
function metricOf({ bytes, length }: ValueSlot, codec: PayloadCodec): Metric | null {
  if (bytes === null) return null;
  // A payload of this metric alone: field 2, its length, its bytes.
  const head = [0x12];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  const payload = new Uint8Array(head.length + length);
  payload.set(head);
  payload.set(bytes.subarray(0, length), head.length);
  const decoded = codec.decode(payload);
  return "problem" in decoded ? null : decoded.payload.metrics[0] ?? null;
}
