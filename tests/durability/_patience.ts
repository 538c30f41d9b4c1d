/** Waiting, and a port that nobody else takes meanwhile. */

const POLL_MS = 10;
/** Below the ports that the system gives to clients: one of ours could take the broker's own. */
const PORTS = { first: 20_000, count: 10_000 };

/** Resolves after `ms` milliseconds or a little later. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** When to give up waiting. */
export interface Waiting {
  /** Changes as long as there is progress. */
  sign(): number;
  /** How long it may stand still. */
  readonly silenceMs: number;
}

/** Waits until `done`; false if nothing moves any more. */
export async function until(done: () => boolean, waiting: Waiting): Promise<boolean> {
  let sign = waiting.sign();
  let movedMs = performance.now();
  while (!done()) {
    await sleep(POLL_MS);
    const now = waiting.sign();
    if (now !== sign) movedMs = performance.now();
    sign = now;
    if (performance.now() - movedMs > waiting.silenceMs) return false;
  }
  return true;
}

/** A port of 127.0.0.1 that is free now, and stays so while the broker on it is dead. */
export function freePort(): number {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
