/** Signals that ask the process to end, or to read its files again. */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Resolves to the name of the first signal to end; `cancel` stops listening. */
export function terminationSignal(): { received: Promise<string>; cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const listeners = SIGNALS.map((name) => ({ name, listener: () => resolve(name) }));
  for (const { name, listener } of listeners) Deno.addSignalListener(name, listener);
  function cancel(): void {
    for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
  }
  return { received: promise, cancel };
}

/** Calls back at each SIGHUP; gives what ends that. */
export function onReloadSignal(callback: () => void): () => void {
  Deno.addSignalListener("SIGHUP", callback);
  return () => Deno.removeSignalListener("SIGHUP", callback);
}
