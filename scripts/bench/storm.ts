/** The worker that connects and disconnects as fast as it can. */

import { closeQuietly, writeAll } from "../../src/client/mod.ts";
import type { ControlLink } from "./link.ts";
import { DISCONNECT } from "./packets.ts";
import type { StormResult, StormSpec } from "./roles.ts";
import { openClient } from "./wire.ts";

/** Runs the worker: a warm-up, then the measured storm. */
export async function runStorm(spec: StormSpec, link: ControlLink): Promise<void> {
  await storm(spec, spec.warmUp);
  link.ready({});
  await link.expect("go");
  link.done(await storm(spec, spec.total));
}

async function storm(spec: StormSpec, total: number): Promise<StormResult> {
  const result: StormResult = { connected: 0, failed: 0, elapsedMs: 0, slowestMs: 0 };
  const startMs = performance.now();
  let next = 0;
  async function connectSome(): Promise<void> {
    while (next < total) {
      const id = `bench-storm-${next++}`;
      const beginMs = performance.now();
      try {
        const conn = await openClient(spec, { id });
        await writeAll(conn, DISCONNECT);
        closeQuietly(conn);
        result.connected++;
        result.slowestMs = Math.max(result.slowestMs, performance.now() - beginMs);
      } catch {
        result.failed++;
      }
    }
  }
  await Promise.all(Array.from({ length: spec.parallel }, connectSome));
  result.elapsedMs = performance.now() - startMs;
  return result;
}
