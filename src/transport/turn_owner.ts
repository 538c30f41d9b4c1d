/** What connection drivers need of the composition root that owns the turn. */
import type { BlockPool } from "../mqtt/mod.ts";
import type { Broker, Instant } from "../broker/mod.ts";

/** Runs the turns: many reads, one commit, one write for each dirty connection. */
export interface TurnOwner {
  readonly broker: Broker;
  readonly pool: BlockPool;
  /** The present moment. */
  instant(): Instant;
  /** The same, where bytes of a client are about to be processed: their way is timed from here. */
  received(): Instant;
  /** Asks for the end of the turn as soon as everything that is ready now has been processed. */
  requestTurn(): void;
  /** Resolves behind the end of the turn, when every socket has had its chance of late. */
  nextIteration(): Promise<void>;
}
