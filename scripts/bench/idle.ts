/** The worker that holds idle connections. */

import { type ClientStream, closeQuietly } from "../../src/client/mod.ts";
import type { ControlLink } from "./link.ts";
import type { IdleResult, IdleSpec } from "./roles.ts";
import { openClient } from "./wire.ts";

/** Keep Alive is on, so that the broker has to watch it, but longer than any measurement. */
const KEEP_ALIVE_S = 600;

/** Runs the worker: connects, holds until told to stop, and counts what the broker closed. */
export async function runIdle(spec: IdleSpec, link: ControlLink): Promise<void> {
  const conns: ClientStream[] = [];
  let next = 0;
  async function connectSome(): Promise<void> {
    while (next < spec.connections) {
      const id = `${spec.prefix ?? "bench-idle-"}${next++}`;
      conns.push(await openClient(spec, { id, keepAliveS: KEEP_ALIVE_S }));
    }
  }
  await Promise.all(Array.from({ length: spec.parallel }, connectSome));
  const result: IdleResult = { closed: 0 };
  let stopping = false;
  async function watch(conn: ClientStream): Promise<void> {
    try {
      await conn.read(new Uint8Array(1));
    } catch {
      // Reset by the broker, or closed by us at the end: either way it reads no more.
    }
    if (!stopping) result.closed++;
  }
  for (const conn of conns) watch(conn);
  link.ready({});
  await link.expect("stop");
  stopping = true;
  link.done(result);
  for (const conn of conns) closeQuietly(conn);
}
