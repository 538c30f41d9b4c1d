/** The parts of the admin API that are about what the core holds. */
import { bansView } from "./_server_api_bans.ts";
import { clientsView, sessionsView } from "./_server_api_clients.ts";
import { deadLettersView } from "./_server_api_dead_letters.ts";
import { publisher, retainedView } from "./_server_api_retained.ts";
import type { ConnectionAudit } from "./_server_audit_connections.ts";
import { BanFile } from "./_server_bans.ts";
import type { Reception } from "./_server_reception.ts";
import type { Turns } from "./_server_turns.ts";
import {
  type ApiRoute,
  banRoutes,
  clientRoutes,
  deadLetterRoutes,
  publishRoutes,
  retainedRoutes,
  sessionRoutes,
} from "./admin/mod.ts";
import type { Connection } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import type { Gatekeeper } from "./security/mod.ts";
import type { Store } from "./store/mod.ts";

/** What they work on. */
export interface ResourceGround {
  readonly config: Config;
  readonly turns: Turns;
  readonly gatekeeper: Gatekeeper;
  readonly reception: Reception;
  readonly audit: ConnectionAudit;
  readonly store: Store;
}

/** Clients, sessions, messages: what the core holds. */
export function resourceRoutes(
  { config, turns, gatekeeper, reception, audit, store }: ResourceGround,
  accepting: () => boolean,
): readonly ApiRoute[] {
  const bans = new BanFile(gatekeeper.bans, config.store.dataDir);
  const ground = {
    turns,
    audit,
    identityOf: (connection: Connection) => gatekeeper.identityOf(connection),
    get sessionExpiryMs() {
      return config.session.expiryMs;
    },
  };
  return [
    ...clientRoutes(clientsView(ground)),
    ...banRoutes(bansView(turns, { bans, reception })),
    ...sessionRoutes(sessionsView(ground)),
    ...retainedRoutes(retainedView(turns)),
    ...publishRoutes(publisher(turns)),
    ...deadLetterRoutes(deadLettersView(turns, { shelf: store.letterShelf, accepting })),
  ];
}
