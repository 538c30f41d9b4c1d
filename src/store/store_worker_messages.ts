/** What the store and its worker say to each other. */
import type { DatabaseOptions } from "./sqlite_database.ts";
import type { StoreProblem } from "./sqlite_problem.ts";

/** To the worker. */
export type StoreRequest =
  | { readonly kind: "open"; readonly path: string; readonly options: DatabaseOptions }
  /** The next write group; there is at most one at a time. */
  | { readonly kind: "commit"; readonly changes: Uint8Array<ArrayBuffer> }
  /** Sends the chunks of a load and the outcome to `port`, then sets `signal[0]` to 1. */
  | { readonly kind: "load"; readonly port: MessagePort; readonly signal: Int32Array }
  /** Ends the worker; a group that is still in trouble gets one last attempt. */
  | { readonly kind: "close" };

/** From the worker. */
export type StoreReply =
  | { readonly kind: "opened"; readonly chunks: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly kind: "refused"; readonly problem: StoreProblem }
  | {
    readonly kind: "committed";
    /** The memory of the request, to be used again. */
    readonly buffer: ArrayBuffer;
    /** Time the transaction took, without what went before it in vain. */
    readonly commitMs: number;
    readonly syncs: number;
  }
  | { readonly kind: "checkpointed"; readonly checkpointMs: number; readonly syncs: number }
  /** A commit failed and will be tried again (`stuck`), or something less important failed. */
  | { readonly kind: "trouble"; readonly trouble: string; readonly stuck: boolean }
  /** A commit can never succeed: a fault of ours, or the file is damaged. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "closed" };

/** The outcome of a load, behind its chunks; null if all went well. */
export type LoadOutcome = { readonly failure: string | null };
