/** Writes down what a case does to its plant, so that it can be done to a broker over sockets. */
import type { RefereeClient, RefereeOptions, WillFacts } from "../../../src/sparkplug/judging.ts";
import { type Joining, type Outcome, Plant, type Sending } from "../_plant.ts";

/** One thing that a client does. */
export type Step =
  | {
    readonly kind: "connect";
    readonly client: RefereeClient;
    readonly id: string;
    readonly cleanSession: boolean;
    readonly will: WillFacts | null;
    readonly filters: readonly (readonly [string, number])[];
  }
  | {
    readonly kind: "publish";
    readonly client: RefereeClient;
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly qos: 0 | 1 | 2;
    readonly retain: boolean;
  }
  | { readonly kind: "leave"; readonly client: RefereeClient; readonly disconnect: boolean }
  /** The Will of a client that is not otherwise seen goes out. */
  | { readonly kind: "will"; readonly topic: string; readonly payload: Uint8Array }
  | { readonly kind: "wait"; readonly ms: number };

/** A plant whose clients take their messages from the clock of now. */
export class Script extends Plant {
  readonly steps: Step[] = [];

  constructor(options: Partial<RefereeOptions> = {}) {
    super(options);
    this.nowMs = Date.now();
  }

  override wait(ms: number): void {
    super.wait(ms);
    this.steps.push({ kind: "wait", ms });
  }

  override connect(
    id: string,
    joining: Joining & { will: WillFacts | null },
  ): RefereeClient {
    const { cleanSession = true, filters = [], will } = joining;
    const client = super.connect(id, joining);
    this.steps.push({ kind: "connect", client, id, cleanSession, will, filters });
    return client;
  }

  override leave(client: RefereeClient, disconnect = true): boolean {
    this.steps.push({ kind: "leave", client, disconnect });
    return super.leave(client, disconnect);
  }

  override send(topic: string, payload: Uint8Array, sending: Sending = {}) {
    const { client = this.edge, qos = 0, retain = false } = sending;
    this.steps.push({ kind: "publish", client, topic, payload, qos, retain });
    return super.send(topic, payload, sending);
  }

  override announce(topic: string, payload: Uint8Array): void {
    this.steps.push({ kind: "will", topic, payload });
    super.announce(topic, payload);
  }
}

/** The steps of a case, and what a referee alone makes of them. */
export function scriptOf(
  play: (plant: Plant) => void,
  options: Partial<RefereeOptions> = {},
): { steps: readonly Step[]; outcomes: readonly Outcome[]; flagged: ReadonlySet<string> } {
  const script = new Script(options);
  play(script);
  const flagged = script.referee.violations.latest().map(({ rule }) => rule);
  return { steps: script.steps, outcomes: script.outcomes, flagged: new Set(flagged) };
}
