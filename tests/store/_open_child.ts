/** Opens the database named on the command line, and prints how that went. */
import { openSqliteStore } from "../../src/store/mod.ts";

const store = await openSqliteStore(Deno.args[0]!);
const outcome = "problem" in store ? store.kind : "open";
if (!("problem" in store)) await store.close();
await Deno.stdout.write(new TextEncoder().encode(`${outcome}\n`));
