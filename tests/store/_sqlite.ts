/** Databases for tests, in temporary directories. */
import { SqliteStore } from "../../src/store/mod.ts";

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
  options: Parameters<typeof SqliteStore.open>[1] = {},
): Promise<SqliteStore> {
  const store = await SqliteStore.open(path, options);
  if ("problem" in store) throw new Error(`Cannot open store: ${store.problem}`);
  return store;
}
