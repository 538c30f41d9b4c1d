/** The last that a broker does: it lets go of its files, and waits for none of them for ever. */
import type { AuditTrail } from "./_server_audit.ts";
import { inTime } from "./_server_in_time.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { Store } from "./store/mod.ts";
import type { Log } from "./system/mod.ts";

/** How long the store may take for what it was given, when clients are gone. */
const STORE_MS = 10_000;
/** How long each of the others may take. */
const OTHERS_MS = 2_000;

/** What is let go of. */
export interface Belongings {
  readonly desk: SparkplugSide["desk"];
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly log: Log;
}

/** Gives whether the store took all that it was given. */
export async function letGo(
  reason: string,
  { desk, store, trail, log }: Belongings,
): Promise<boolean> {
  if (desk !== null) await inTime(desk.stop(), OTHERS_MS);
  const closing = Promise.resolve(store.close()).then(() => true);
  const isStored = await inTime(closing, STORE_MS) === true;
  if (!isStored) {
    const text = "stopping: the store does not answer: what was not acknowledged may not be stored";
    log.line("error", text, { room: "store" });
  }
  await inTime(trail.close(reason), OTHERS_MS);
  return isStored;
}
