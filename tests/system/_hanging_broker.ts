/** A broker that stops turning for a while when its standard input says so. */
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { runServer } from "../../src/server.ts";
import { ServiceManager } from "../../src/system/mod.ts";

/** Five times the time after which the watchdog has to be fed. */
const HANG_MS = 1_000;

const [directory] = Deno.args;
const opened = ServiceManager.open();
if (opened === null || "problem" in opened) throw new Error("Cannot tell: no socket");
const { manager } = opened;

async function hangWhenTold(): Promise<void> {
  for await (const _line of Deno.stdin.readable) {
    manager.notify("X_HANGS=1");
    await new Promise((resolve) => setTimeout(resolve, 100)); // it is sent
    const endMs = performance.now() + HANG_MS;
    while (performance.now() < endMs);
    manager.notify("X_TURNS=1");
  }
}

void hangWhenTold();
const config = {
  ...DEFAULT_CONFIG,
  listeners: [{ ...DEFAULT_CONFIG.listeners[0]!, address: "127.0.0.1:0" }],
  store: { ...DEFAULT_CONFIG.store, dataDir: `${directory}/data` },
};
Deno.exit(await runServer(config, { err: () => {} }));
