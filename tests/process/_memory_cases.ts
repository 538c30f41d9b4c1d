/** Keys of the table `memory`. The broker shares the memory of its process with the tests: they run alone. */
import { assert, assertEquals } from "@std/assert";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "../keys/_cases.ts";

type MemoryChanges = NonNullable<ConfigChanges["memory"]>;

/** Far above what the process needs, so that only what a test sets is reached. */
const HIGH = {
  refuseConnectionsPercent: 90,
  shedQos0Percent: 91,
  shedQueuesPercent: 92,
  shutDownPercent: 93,
} as const;

/** A broker that stands at about half of its limit. */
function half(memory: MemoryChanges): Promise<TestBroker> {
  const limitBytes = 2 * Deno.memoryUsage().rss;
  return TestBroker.start({ memory: { ...HIGH, limitBytes, dwellMs: 200, ...memory } });
}

/** The stages that the log tells of, in order. */
function stages(broker: TestBroker): string[] {
  return broker.log.join("").split("\n").flatMap((line) => {
    const stage = /memory: \S+ -> (\S+):/.exec(line)?.[1];
    return stage === undefined ? [] : [stage];
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < deadline, `not in 30 s: ${what}`);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a new client is refused. */
async function isRefused(broker: TestBroker): Promise<boolean> {
  try {
    using _client = await WireClient.connect(broker.port);
    return false;
  } catch {
    return true;
  }
}

/** Memory that the process takes until it is freed, as much as it needs for a stage. */
class Ballast implements Disposable {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];

  /** Takes a tenth more, and more, so that it does not matter what the process has freed meanwhile. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let left = 40; !condition(); left--) {
      assert(left > 0, `not by forty times the memory: ${what}`);
      this.#pieces.push(new Uint8Array(Math.ceil(Deno.memoryUsage().rss / 10)).fill(1));
      await pause(300); // the guard looks ten times a second
    }
  }

  [Symbol.dispose](): void {
    // At once, and not when garbage is collected.
    for (const piece of this.#pieces) piece.buffer.transfer(0);
  }
}

const stageCases: KeyCases = {
  "memory.refuse_connections_percent": async () => {
    await using closed = await half({ refuseConnectionsPercent: 20 });
    assert(await isRefused(closed));
    assertEquals(stages(closed), ["refuse-connections"]);
    await using open = await half({});
    assert(!await isRefused(open));
  },
  "memory.shed_qos0_percent": async () => {
    await using broker = await half({ refuseConnectionsPercent: 20, shedQos0Percent: 21 });
    await until(() => stages(broker).length > 1, "the second stage");
    assertEquals(stages(broker), ["refuse-connections", "shed-qos0"]);
  },
  "memory.shed_queues_percent": async () => {
    const percents = { refuseConnectionsPercent: 20, shedQos0Percent: 21, shedQueuesPercent: 22 };
    await using broker = await half(percents);
    await until(() => stages(broker).length > 2, "the third stage");
    assertEquals(stages(broker).at(-1), "shed-queues");
  },
  "memory.shut_down_percent": async () => {
    const percents = { refuseConnectionsPercent: 20, shedQos0Percent: 21, shedQueuesPercent: 22 };
    await using broker = await half({ ...percents, shutDownPercent: 60 });
    await until(() => stages(broker).length > 2, "the third stage");
    using ballast = new Ballast();
    await ballast.until(() => stages(broker).at(-1) === "shut-down", "the last stage");
    const reason = await broker.server.exhausted;
    assert(reason.includes("configured limit"), reason);
  },
};

/** Every case. */
export const memoryCases: KeyCases = {
  "memory.enabled": async () => {
    for (const enabled of [true, false]) {
      await using broker = await half({ refuseConnectionsPercent: 20, enabled });
      assertEquals(await isRefused(broker), enabled);
    }
  },
  "memory.limit_bytes": async () => {
    await using small = await TestBroker.start({ memory: { limitBytes: 1 } });
    assert(await isRefused(small));
    await using unlimited = await TestBroker.start({ memory: { limitBytes: 0 } });
    assert(!await isRefused(unlimited));
  },
  ...stageCases,
  "memory.dwell_ms": async () => {
    for (const dwellMs of [200, 600_000]) {
      await using broker = await half({ refuseConnectionsPercent: 75, dwellMs });
      {
        using ballast = new Ballast();
        await ballast.until(() => stages(broker).includes("refuse-connections"), "the first stage");
        assert(await isRefused(broker));
      }
      if (dwellMs > 1_000) await pause(600);
      else await until(() => stages(broker).at(-1) === "normal", "the end of it");
      assertEquals(await isRefused(broker), dwellMs > 1_000);
    }
  },
  "memory.loop_lag_ms_max": async () => {
    for (const loopLagMsMax of [50, 0]) {
      await using broker = await half({ loopLagMsMax, dwellMs: 600_000 });
      for (let round = 0; round < 5; round++) {
        const end = performance.now() + 400;
        while (performance.now() < end);
        await pause(0);
      }
      await pause(150);
      assertEquals(await isRefused(broker), loopLagMsMax > 0);
    }
  },
};
