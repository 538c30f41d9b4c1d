/** Retained messages: the last acknowledged value of each topic must be there, or a newer one. */
import { filter, text, WireClient } from "../support/wire_client.ts";
import type { ClientContext } from "./_load_client.ts";
import type { Stream } from "./_ledger.ts";

const PATIENCE_MS = 3_000;

/** What is known of the retained values of one stream, whose numbers only rise. */
export class KeptValues {
  readonly #stream: Stream;
  readonly #acknowledged = new Map<string, number>();
  /** How many values were looked at. */
  checked = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** The broker has promised to keep this value or a newer one. */
  acknowledge(topic: string, number: number): void {
    this.#acknowledged.set(topic, Math.max(number, this.#acknowledged.get(topic) ?? 0));
  }

  /**
   * Asks the broker for every value, as a new client. `exactly`: nothing is on the way, so that each
   * must be the last one.
   */
  async check(context: ClientContext, { exactly }: { exactly: boolean }): Promise<void> {
    const promised = new Map(this.#acknowledged);
    const values = await this.#ask(context.port, promised.size);
    for (const [topic, least] of promised) {
      const value = values.get(topic);
      this.checked++;
      if (value === undefined) context.complain(`retained ${topic}: LOST, not even ${least}`);
      else if (value < least || value >= this.#stream.sent || (exactly && value !== least)) {
        context.complain(`retained ${topic}: WRONG, ${value} instead of ${least}`);
      }
    }
  }

  async #ask(port: number, count: number): Promise<Map<string, number>> {
    const values = new Map<string, number>();
    using client = await WireClient.connect(port);
    const subscriptions = [{ filter: filter(`load/${this.#stream.name}/#`), qos: 0 as const }];
    await client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
    const deadline = performance.now() + PATIENCE_MS;
    while (values.size < count) {
      const packet = await client.next(deadline - performance.now());
      if (typeof packet === "string") break;
      // Live messages come between, not marked as retained.
      if (packet.type !== "PUBLISH" || !packet.retain) continue;
      values.set(packet.topic, Number.parseInt(text(packet.payload)));
    }
    await client.disconnect().catch(ignore);
    return values;
  }
}

function ignore(): void {}
