/** The shared table of wire cases: decoder, encoder, core and server are all held to it. */
import { BARE_BAD, BARE_GOOD } from "./bare_cases.ts";
import { CONNECT_BAD, CONNECT_GOOD } from "./connect_cases.ts";
import { PUBLISH_BAD, PUBLISH_GOOD } from "./publish_cases.ts";
import { SUBSCRIBE_BAD, SUBSCRIBE_GOOD } from "./subscribe_cases.ts";
import type { BadCase, GoodCase } from "./wire_case.ts";

export { STATE_CASES, type StateCase } from "./state_cases.ts";
export { type BadCase, type Direction, type GoodCase, WIRE_LIMITS } from "./wire_case.ts";

/** Bytes that are packets. */
export const GOOD_CASES: readonly GoodCase[] = [
  ...CONNECT_GOOD,
  ...PUBLISH_GOOD,
  ...BARE_GOOD,
  ...SUBSCRIBE_GOOD,
];

/** Bytes that are faults. */
export const BAD_CASES: readonly BadCase[] = [
  ...CONNECT_BAD,
  ...PUBLISH_BAD,
  ...BARE_BAD,
  ...SUBSCRIBE_BAD,
];
