/**
 * Commits batches until it is killed. Batch `n` queues message `n`, finishes message `n - 50` and
 * retains `n`; its number is printed when the store says that it is committed.
 */
import { makeMessage } from "../../src/broker/mod.ts";
import { name, payload, text } from "../support/wire_client.ts";
import { openStore } from "./_sqlite.ts";

const store = await openStore(Deno.args[0]!, { walBytesMax: 65_536 });
const { journal } = store;
const { sessions, retained } = store.load();
if (sessions.length === 0) journal.sessionCreated("c");
let number = retained.length === 0 ? 0 : Number(text(retained[0]!.message.payload));
const encoder = new TextEncoder();

async function batch(): Promise<void> {
  number++;
  const printed = number;
  journal.deliveryAdded({
    clientIdentifier: "c",
    sequence: number,
    message: makeMessage("t", payload(`${number}`.padEnd(number % 3000)), 1),
    qos: 1,
    retain: false,
    packetId: 0,
    sent: 0,
    queuedS: 0,
  });
  if (number > 50) journal.deliveryFinished("c", number - 50);
  journal.retainedSet(name("last"), makeMessage("last", payload(`${number}`), 1), 0);
  journal.awaitCommit();
  await store.commit();
  Deno.stdout.writeSync(encoder.encode(`${printed}\n`));
}

/** Several at a time, so that they pile up and share commits. */
async function produce(): Promise<void> {
  for (;;) await batch();
}

await Promise.all([produce(), produce(), produce()]);
