/** The topics under `$SYS`, round after round. */
import type { AuditFacts } from "./_server_audit.ts";
import deno from "../deno.json" with { type: "json" };
import { type Broker, type Instant, type ServerFacts, SysTopics } from "./broker/mod.ts";
import { encodeUtf8, type TopicName } from "./mqtt/mod.ts";

/** What the server knows. */
export type RoundFacts = Pick<ServerFacts, "memory" | "store" | "door" | "server"> & {
  readonly audit: AuditFacts | null;
};

/** Publishes what has changed. */
export class SysRounds {
  readonly #topics = new SysTopics();
  readonly #startedMs = performance.now();

  /** One round. */
  publish(broker: Broker, { audit, ...facts }: RoundFacts, instant: Instant): void {
    const round = this.#topics.round(broker.statistics, {
      ...facts,
      version: deno.version,
      uptimeMs: performance.now() - this.#startedMs,
      heapBytes: Deno.memoryUsage().heapUsed,
      audit: { ...audit },
    });
    for (const [topic, value] of round) {
      const payload = encodeUtf8(value);
      broker.publish(topic as TopicName, { payload, qos: 0, retain: true }, instant);
    }
  }
}
