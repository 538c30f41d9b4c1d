/** The scan of data against the full decoder, on made and on broken payloads. */
import { tableOf } from "../src/sparkplug/birth_book.ts";
import { DataScan, type ScanContext } from "../src/sparkplug/data_scan.ts";
import { PayloadCodec } from "../src/sparkplug/judging.ts";
import { withTimestamp } from "../src/sparkplug/mod.ts";
import { birthPayload, dataPayload, expectedRemarks } from "./_sparkplug_payload.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const CODEC = await PayloadCodec.load();
const SCAN = new DataScan();

/** Reader and decoder find the same, and neither throws. */
export const SPARKPLUG_READER: Target = {
  name: "sparkplug_reader",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const birth = CODEC.decode(birthPayload(random));
    if ("problem" in birth) return { problem: birth.problem, input: new Uint8Array(0) };
    const context: ScanContext = {
      table: tableOf(birth.payload.metrics, 1000),
      watchChanges: false,
      earliestMs: 631_152_000_000,
      latestMs: 1_700_000_060_000,
    };
    const steady = random.oneIn(2);
    for (let i = 0; i < 6; i++) {
      const bytes = dataPayload(random, steady);
      const broken = random.oneIn(4);
      const input = broken ? mutated(random, bytes) : bytes;
      const problem = compare(random, input, context, broken);
      if (problem !== null) return { problem: `message ${i + 1}: ${problem}`, input };
    }
    return null;
  },
};

function compare(
  random: Random,
  input: Uint8Array,
  context: ScanContext,
  broken: boolean,
): string | null {
  // It need not stand at the beginning of its memory.
  const start = random.below(5);
  const bytes = new Uint8Array(start + input.length + random.below(3));
  bytes.set(input, start);
  const end = start + input.length;
  const decoded = CODEC.decode(bytes, start, end);
  const read = SCAN.scan(bytes, { start, end }, context);
  withTimestamp(input, 5);
  if ("problem" in decoded) return !broken ? decoded.problem : null;
  if (!read) return "the scan refuses what the decoder reads";
  const { payload } = decoded;
  if (!same(SCAN.timestamp, payload.timestamp)) return `timestamp ${SCAN.timestamp}`;
  if (!same(SCAN.seq, payload.seq)) return `seq ${SCAN.seq}`;
  if (SCAN.metrics !== payload.metrics.length) return `${SCAN.metrics} metrics`;
  // Broken tags may be longer than they need be: the scan leaves those to the decoder.
  if (broken) return null;
  const expected = expectedRemarks(payload, context);
  return SCAN.remarks === expected ? null : `remarks ${SCAN.remarks}, expected ${expected}`;
}

/** The scan's numbers are exact up to 2^53. */
function same(number: number, value: bigint | null): boolean {
  if (value === null) return number === -1;
  return value <= 2n ** 53n ? number === Number(value) : number >= 2 ** 53;
}

function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  const result = bytes.slice(0, random.oneIn(3) ? random.below(bytes.length + 1) : bytes.length);
  for (let i = random.below(4); i > 0 && result.length > 0; i--) {
    result[random.below(result.length)] = random.bits();
  }
  return result;
}
