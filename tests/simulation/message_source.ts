/** Makes the messages of one client, each with a key of its own. */
import type { Qos } from "../../src/mqtt/mod.ts";
import type { Dice } from "./dice.ts";
import type { Scenario } from "./scenario.ts";
import { SentMessage } from "./sent_message.ts";

/** Draws topics, QoS, RETAIN and payloads. */
export class MessageSource {
  readonly #client: string;
  readonly #dice: Dice;
  readonly #scenario: Scenario;
  #next = 1;

  constructor(client: string, world: { dice: Dice; scenario: Scenario }) {
    this.#client = client;
    this.#dice = world.dice;
    this.#scenario = world.scenario;
  }

  /** The next message to publish. */
  draw(): SentMessage {
    return this.#draw(false);
  }

  /** The Will of the next connection. */
  drawWill(): SentMessage {
    return this.#draw(true);
  }

  #draw(isWill: boolean): SentMessage {
    const dice = this.#dice;
    const scenario = this.#scenario;
    const retain = dice.chance(scenario.retainRate);
    const isDeletion = retain && !isWill && dice.chance(scenario.deletionRate);
    const key = isDeletion ? "" : `${this.#client}${isWill ? "w" : ":"}${this.#next++}`;
    const padding = dice.chance(0.2) ? dice.below(scenario.payloadBytesMax) : 0;
    return new SentMessage({
      key,
      publisher: this.#client,
      topic: dice.pick(scenario.topics),
      qos: Number(dice.weighted(scenario.qosWeights)) as Qos,
      retain,
      payload: isDeletion ? "" : `${key}|${".".repeat(padding)}`,
      isWill,
    });
  }
}
