/** What the store and its worker say to each other. */
import type { LetterPage, LetterQuery } from "./dead_letter_look.ts";
import type { DeviceReply } from "./durable_store.ts";
import type { QuarantineReport } from "./quarantine.ts";
import type { DatabaseOptions } from "./sqlite_database.ts";
import type { StoreProblem } from "./sqlite_problem.ts";

/** To the worker; but for `look` and `close`, one at a time. */
export type StoreRequest =
  | { readonly kind: "open"; readonly path: string; readonly options: DatabaseOptions }
  | { readonly kind: "commit"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "sync" }
  /** Answered with the same number. */
  | { readonly kind: "look"; readonly number: number; readonly query: LetterQuery }
  /** Ends the worker. */
  | { readonly kind: "close" };

/** From the worker. */
export type StoreReply =
  | {
    readonly kind: "opened";
    readonly chunks: Uint8Array<ArrayBuffer>[];
    /** What happened to the database that was there; null if nothing was wrong with it. */
    readonly quarantine: QuarantineReport | null;
  }
  | { readonly kind: "refused"; readonly problem: StoreProblem }
  | {
    readonly kind: "looked";
    readonly number: number;
    readonly page: LetterPage | { readonly problem: string };
  }
  | DeviceReply;
