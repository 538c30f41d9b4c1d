/** The topics under `$SYS`, round after round. */
import type { AuditTrail } from "./_server_audit.ts";
import type { MemoryWatch } from "./_server_memory.ts";
import { loginFacts } from "./_server_parts.ts";
import type { Reloads } from "./_server_reloads.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import { SysTopics } from "./broker/mod.ts";
import type { SysTopicsConfig } from "./config/mod.ts";
import { encodeUtf8, type TopicName } from "./mqtt/mod.ts";
import type { FrontDoor, Gatekeeper } from "./security/mod.ts";
import { type Store, storeFacts } from "./store/mod.ts";

/** Whose facts are published. */
export interface RoundSources {
  readonly config: SysTopicsConfig;
  readonly turns: Turns;
  readonly memory: MemoryWatch | null;
  readonly store: Store;
  /** Damaged databases that lie beside the present one. */
  readonly quarantines: number;
  readonly door: FrontDoor;
  readonly reloads: Reloads;
  readonly gatekeeper: Gatekeeper;
  readonly trail: AuditTrail;
  readonly sparkplug: SparkplugSide;
}

/** Publishes what has changed. */
export class SysRounds {
  readonly #topics = new SysTopics();
  readonly #startedMs = performance.now();
  readonly #sources: RoundSources;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(sources: RoundSources) {
    this.#sources = sources;
  }

  /** Begins, or goes on in the interval that holds now. */
  begin(): void {
    this.end();
    const { enabled, intervalMs } = this.#sources.config;
    if (!enabled) return;
    this.#publish();
    this.#timer = setInterval(() => this.#publish(), intervalMs);
  }

  /** Publishes no more. */
  end(): void {
    clearInterval(this.#timer);
  }

  #publish(): void {
    const { turns, memory, store, quarantines, door, reloads, gatekeeper, trail, sparkplug } =
      this.#sources;
    const instant = turns.instant();
    const round = this.#topics.round(turns.broker.statistics, {
      version: deno.version,
      uptimeMs: performance.now() - this.#startedMs,
      heapBytes: Deno.memoryUsage().heapUsed,
      memory: memory?.facts ?? {},
      store: { ...storeFacts(store), quarantines },
      door: door.facts,
      server: { ...reloads.facts(), ...loginFacts(gatekeeper), ...sparkplug.values?.facts },
      audit: { ...trail.facts },
    });
    for (const [topic, value] of round) {
      const payload = encodeUtf8(value);
      turns.broker.publish(topic as TopicName, { payload, qos: 0, retain: true }, instant);
    }
    sparkplug.desk?.publishTopics(instant);
    turns.requestTurn();
  }
}
