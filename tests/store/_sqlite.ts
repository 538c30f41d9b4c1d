/** Databases for tests, in temporary directories. */
import {
  type DurableStore,
  openSqliteStore,
  type SqliteStoreOptions,
} from "../../src/store/mod.ts";

const directories: string[] = [];
globalThis.addEventListener("unload", () => {
  for (const directory of directories) Deno.removeSync(directory, { recursive: true });
});

/** A path where no database is yet; it is removed when the tests end. */
export function databasePath(): string {
  const directory = Deno.makeTempDirSync({ prefix: "relayq-store-" });
  directories.push(directory);
  return `${directory}/relayq.db`;
}

/** Opens a store that must be fine. */
export async function openStore(
  path: string,
  options: Partial<SqliteStoreOptions> = {},
): Promise<DurableStore> {
  const store = await openSqliteStore(path, options);
  if ("problem" in store) throw new Error(`Cannot open store: ${store.problem}`);
  return store;
}
