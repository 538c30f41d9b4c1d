/** Commits more than the disk takes, and prints how that goes. */
import { makeMessage } from "../../src/broker/mod.ts";
import { name } from "../support/wire_client.ts";
import { openStore } from "./_sqlite.ts";

const store = await openStore(Deno.args[0]!);
for (let number = 0; number < 40; number++) {
  const topic = name(`t${number}`);
  store.journal.retainedSet(topic, makeMessage(topic, new Uint8Array(20_000), 1), 0);
}
const promise = Promise.resolve(store.commit()).then(() => print("committed"));
while (store.trouble === null) await new Promise((resolve) => setTimeout(resolve, 5));
print(`trouble: ${store.trouble}`);
print("waits");
await promise;
print(`trouble: ${store.trouble}`);
await store.close();

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
