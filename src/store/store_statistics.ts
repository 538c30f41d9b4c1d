/** What a durable store counts. */
import { DURATION_BOUNDS_S, Histogram } from "../broker/mod.ts";

/** Counters and gauges of a durable store; a live object. */
export interface StoreStatistics {
  /** Transactions that were committed. */
  commits: number;
  /** Calls of fsync. */
  syncs: number;
  checkpoints: number;
  /** Requests that the disk refused; they are tried again. */
  failures: number;
  /** Records of the core in batches that were committed. */
  recordsCommitted: number;
  /** Changes that were left of them, and written. */
  changesWritten: number;
  /** Records that wait for a commit, those in the worker included. */
  recordsWaiting: number;
  /** Time from the end of the first batch of a group until it was durable. */
  latencyMsLast: number;
  latencyMsMax: number;
  /** The same of every group, in seconds. */
  readonly latencies: Histogram;
  /** Time of a transaction. */
  commitMsLast: number;
  commitMsMax: number;
  /** The same of every transaction, in seconds. */
  readonly commitTimes: Histogram;
  checkpointMsMax: number;
}

/** Nothing has happened yet. */
export function emptyStoreStatistics(): StoreStatistics {
  return {
    commits: 0,
    syncs: 0,
    checkpoints: 0,
    failures: 0,
    recordsCommitted: 0,
    changesWritten: 0,
    recordsWaiting: 0,
    latencyMsLast: 0,
    latencyMsMax: 0,
    latencies: new Histogram(DURATION_BOUNDS_S),
    commitMsLast: 0,
    commitMsMax: 0,
    commitTimes: new Histogram(DURATION_BOUNDS_S),
    checkpointMsMax: 0,
  };
}
