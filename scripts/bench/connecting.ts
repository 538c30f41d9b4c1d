/** A storm of connections from one process, and what it costs on both sides. */
import type { Broker } from "./brokers.ts";
import { Load } from "./load.ts";
import { readCpuMs } from "./proc.ts";
import type { StormResult } from "./roles.ts";

/** How many connections, at how many at a time; those of the warm-up do not count. */
export interface StormSize {
  readonly warmUp: number;
  readonly total: number;
  readonly parallel: number;
}

/** What a storm brought; CPU times of the storm itself. */
export interface StormCost extends StormResult {
  readonly brokerMs: number;
  readonly clientMs: number;
}

/** Lets a storm loose on a broker that has to live through it. */
export async function stormAt(broker: Broker, size: StormSize): Promise<StormCost> {
  const load = Load.start("storm", { ...broker.target, ...size });
  try {
    await load.answer("ready");
    const pids = [broker.pid, load.pid];
    const cpuBefore = await Promise.all(pids.map(readCpuMs));
    await load.send({ command: "go", windowStartMs: 0, windowEndMs: 0 });
    const result = await load.answer<StormResult>("done");
    const cpuAfter = await Promise.all(pids.map(readCpuMs));
    broker.assertAlive();
    const [brokerMs = NaN, clientMs = NaN] = cpuAfter.map((afterMs, index) =>
      afterMs - (cpuBefore[index] ?? NaN)
    );
    return { ...result, brokerMs, clientMs };
  } finally {
    await load.end();
  }
}
