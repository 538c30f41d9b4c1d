/** The admin listener with its API and dashboard, which cost memory and time: loaded where one is to listen. */
import type { AdminListener, AdminSurroundings } from "./_server_admin.ts";
import type { ApiSide } from "./_server_api.ts";
import type { Config } from "./config/mod.ts";

/** What there is with an admin listener, and not without one. */
export interface AdminSide {
  readonly api: ApiSide;
  /** Binds the address, or gives the reason where that is not possible. */
  readonly open: (
    config: Config,
    surroundings: AdminSurroundings,
  ) => Promise<AdminListener | { problem: string } | null>;
}

/** Loads it; null where nothing is to listen. */
export async function loadAdminSide(config: Config): Promise<AdminSide | null> {
  if (config.admin.address === "") return null;
  const [{ AdminListener }, { ApiSide }] = await Promise.all([
    import("./_server_admin.ts"),
    import("./_server_api.ts"),
  ]);
  const api = new ApiSide(config);
  return { api, open: (config, surroundings) => AdminListener.open(config, surroundings) };
}
