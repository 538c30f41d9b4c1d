/** The core, made as the configuration says. */
import { brokerLimits } from "./_server_parts.ts";
import { openRates } from "./_server_rates.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import { Broker, type TakeOverPolicy } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import type { BlockPool } from "./mqtt/mod.ts";
import type { Gatekeeper } from "./security/mod.ts";
import type { Store } from "./store/mod.ts";

/** What the core is given besides its limits. */
export interface CoreParts {
  readonly gatekeeper: Gatekeeper;
  readonly store: Store;
  readonly sparkplug: SparkplugSide;
  /** Shared with the transport. */
  readonly pool: BlockPool;
  readonly takeOvers: TakeOverPolicy;
}

/** Makes the core. */
export function makeBroker(config: Config, parts: CoreParts): Broker {
  const { gatekeeper, store, sparkplug, pool, takeOvers } = parts;
  return new Broker({
    limits: brokerLimits(config),
    policy: gatekeeper.policy,
    sparkplug: sparkplug.policy,
    journal: store.journal,
    randomId: () => `relayq-${crypto.randomUUID()}`,
    pool,
    rates: openRates(config),
    takeOvers,
  });
}
