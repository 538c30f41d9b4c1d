/** Messages of Sparkplug once more, as JSON for people. */
import type { PassingMessages } from "./_server_sparkplug_witness.ts";
import type { Turns } from "./_server_turns.ts";
import { JSON_TOPIC } from "./broker/mod.ts";
import { encodeUtf8, type TopicName } from "./mqtt/mod.ts";
import { type loadJudging, parseTopic, type PayloadCodec, type Referee } from "./sparkplug/mod.ts";

type Judging = Awaited<ReturnType<typeof loadJudging>>;

const PER_SECOND_MAX = 1000;
/** Bytes of the messages that wait for the end of the turn. */
const WAITING_BYTES_MAX = 16_777_216;

/** Takes messages during a turn, and publishes them behind it. */
export class SparkplugJson implements PassingMessages {
  readonly #parts: { codec: PayloadCodec; payloadJson: Judging["payloadJson"]; referee: Referee };
  #turns: Turns | null = null;
  #waiting: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  #waitingBytes = 0;
  #allowance = PER_SECOND_MAX;
  /** Messages that were too many. */
  left = 0;

  constructor(
    judging: Judging,
    { codec, referee }: { codec: PayloadCodec; referee: Referee },
  ) {
    this.#parts = { codec, referee, payloadJson: judging.payloadJson };
  }

  /** Messages may be published from now on. */
  begin(turns: Turns): void {
    this.#turns = turns;
  }

  /** A second has passed. */
  refill(): void {
    this.#allowance = PER_SECOND_MAX;
  }

  passed(topic: string, payload: Uint8Array): void {
    if (this.#allowance === 0 || this.#waitingBytes + payload.length > WAITING_BYTES_MAX) {
      this.left++;
      return;
    }
    this.#allowance--;
    this.#waitingBytes += payload.length;
    // Behind the message itself; its bytes are the transport's.
    if (this.#waiting.length === 0) setTimeout(() => this.#publish(), 0);
    this.#waiting.push({ topic, payload: payload.slice() });
  }

  #publish(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const turns = this.#turns;
    if (turns === null) return;
    for (const { topic, payload } of waiting) {
      const json = this.#json(topic, payload);
      if (json === null) continue;
      const content = { payload: encodeUtf8(json), qos: 0, retain: false } as const;
      turns.broker.publish((JSON_TOPIC + topic) as TopicName, content, turns.instant());
    }
    turns.requestTurn();
  }

  /** Null for what is no payload of Sparkplug: a STATE is JSON already. */
  #json(name: string, payload: Uint8Array): string | null {
    const { codec, payloadJson, referee } = this.#parts;
    const topic = parseTopic(name);
    if (topic?.kind !== "topic" || topic.type === "STATE") return null;
    const decoded = codec.decode(payload);
    if ("problem" in decoded) return null;
    const resolve = (metric: { name: string | null; alias: bigint | null }) =>
      referee.bornMetric(topic, metric);
    return JSON.stringify(payloadJson(decoded.payload, resolve));
  }
}
