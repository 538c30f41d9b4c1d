/** Helpers of the tests about dead letters. */
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { Core, type CoreOptions } from "./_core.ts";
import { RecordingStore } from "./_recording_store.ts";

/** Limits a test sets. */
export type Limits = NonNullable<CoreOptions["limits"]>;

/** A core whose dead letters can be seen. */
export function coreWith(limits: Limits = {}, policy?: AccessPolicy) {
  const store = new RecordingStore();
  const core = new Core({ store, limits, ...policy === undefined ? {} : { policy } });
  return { core, store };
}

/** Refuses what is published on "no". */
export const REFUSING: AccessPolicy = {
  ...OPEN_ACCESS,
  generation: 1,
  publish: (_client, topic) => topic === "no" ? "drop" : "allow",
  will: (_gone, topic) => topic === "no" ? "drop" : "allow",
};
