/** Signals that ask the process to end, or to read its files again. */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** One of them. */
export type TerminationSignal = typeof SIGNALS[number];

/** `received` resolves to the name of the first signal to end; `again` is told of the others. */
export function terminationSignal(
  again: (name: TerminationSignal) => void,
): { received: Promise<TerminationSignal>; cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<TerminationSignal>();
  let isFirst = true;
  const listeners = SIGNALS.map((name) => ({ name, listener: () => heard(name) }));
  function heard(name: TerminationSignal): void {
    if (!isFirst) return again(name);
    isFirst = false;
    resolve(name);
  }
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
