/** One clock for all processes of a run, and waiting by it. */

/**
 * Milliseconds since the epoch with microsecond resolution. The origin is read once per process
 * from the system clock, the rest is monotonic, so two processes on one machine agree to within a
 * few microseconds over a measurement.
 */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Resolves after `ms` milliseconds or a little later. */
export function sleep(ms: number): Promise<void> {
  return new Promise(function wait(resolve): void {
    setTimeout(resolve, Math.max(0, ms));
  });
}

/** Resolves at `atMs` of `epochNowMs`, or a little later. */
export function sleepUntil(atMs: number): Promise<void> {
  return sleep(atMs - epochNowMs());
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the whole thread until `atMs`: ten times more precise than a timer. */
export function blockUntil(atMs: number): void {
  const ms = atMs - epochNowMs();
  if (ms > 0) Atomics.wait(sleepCell, 0, 0, ms);
}
