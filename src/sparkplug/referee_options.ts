/** Switches, caps and times of the referee. */
import type { Overrides } from "./overrides.ts";

/** Inflates a compressed body; null if it is no such thing or would grow beyond `bytesMax`. */
export type Inflate = (
  body: Uint8Array,
  algorithm: "DEFLATE" | "GZIP",
  bytesMax: number,
) => Uint8Array | null;

/** What the referee does, and how much it keeps. */
export interface RefereeOptions {
  /** `monitor` counts, `strict` refuses, drops, fixes and closes besides. */
  readonly mode: "monitor" | "strict";
  readonly overrides: Overrides;
  /** What a second owner of an Edge Node meets in strict mode. */
  readonly onDuplicate: "rejectNew" | "takeOver";
  /** Whether rebirth requests are sent to Edge Nodes that need one. */
  readonly rebirthRequests: boolean;
  /** Whether the Will of an Edge Node or host that leaves without a death is published. */
  readonly synthesizeDeaths: boolean;
  /** Whether metrics that have not changed are counted, which costs a hash of each value. */
  readonly reportByException: boolean;
  /** Messages kept for each Edge Node; 0 records nothing. */
  readonly recordedMessagesMax: number;
  /** Bytes of recorded payloads of all Edge Nodes. */
  readonly recordedBytesMax: number;
  /** How far a timestamp may be from the clock. */
  readonly timestampWindowMs: number;
  readonly nodesMax: number;
  readonly devicesPerNodeMax: number;
  /** Metrics of an Edge Node and all its Devices. */
  readonly metricsPerNodeMax: number;
  readonly hostsMax: number;
  /** Violations kept, the latest ones; all are counted. */
  readonly violationsMax: number;
  /** Null where compressed payloads are not looked into. */
  readonly inflate: Inflate | null;
}

/** Options that judge everything and change nothing. */
export const REFEREE_DEFAULTS: RefereeOptions = {
  mode: "monitor",
  overrides: new Map(),
  onDuplicate: "rejectNew",
  rebirthRequests: false,
  synthesizeDeaths: false,
  reportByException: false,
  recordedMessagesMax: 0,
  recordedBytesMax: 16_777_216,
  timestampWindowMs: 60_000,
  nodesMax: 1000,
  devicesPerNodeMax: 1000,
  metricsPerNodeMax: 20_000,
  hostsMax: 100,
  violationsMax: 1000,
  inflate: null,
};
