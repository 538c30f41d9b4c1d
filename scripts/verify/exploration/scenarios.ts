/** What is explored. */
import type { Scenario } from "./explored_world.ts";

/** A scenario, and when it is explored. */
export interface ExploredScenario extends Scenario {
  /** Whether the bounded run explores it, too. */
  readonly quick: boolean;
}

/** All scenarios. */
export const SCENARIOS: readonly ExploredScenario[] = [
  {
    name: "QoS 2 to QoS 2, 1 crash",
    publishers: [[{ number: 1, qos: 2 }]],
    subscribers: [2],
    crashes: 1,
    quick: true,
  },
  {
    name: "QoS 1 to QoS 2 and 1, 1 crash",
    publishers: [[{ number: 1, qos: 1 }]],
    subscribers: [2, 1],
    crashes: 1,
    quick: true,
  },
  {
    name: "2 messages of 1 publisher, window 1, 1 crash",
    publishers: [[{ number: 1, qos: 1 }, { number: 2, qos: 2 }]],
    subscribers: [2],
    crashes: 1,
    inFlightMessagesMax: 1,
    quick: true,
  },
  {
    name: "QoS 2 to QoS 2, 2 crashes",
    publishers: [[{ number: 1, qos: 2 }]],
    subscribers: [2],
    crashes: 2,
    quick: false,
  },
  {
    name: "2 publishers, 1 subscriber, 1 crash",
    publishers: [[{ number: 1, qos: 2 }], [{ number: 2, qos: 1 }]],
    subscribers: [2],
    crashes: 1,
    quick: false,
  },
  {
    name: "2 publishers, 2 subscribers, no crash",
    publishers: [[{ number: 1, qos: 2 }], [{ number: 2, qos: 1 }]],
    subscribers: [2, 1],
    crashes: 0,
    quick: false,
  },
  {
    name: "2 publishers, 2 subscribers, 1 crash, a turn for each packet",
    publishers: [[{ number: 1, qos: 2 }], [{ number: 2, qos: 1 }]],
    subscribers: [2, 1],
    crashes: 1,
    comeBackAtOnce: true,
    turnsOfOne: true,
    losesAllOrNone: true,
    quick: false,
  },
];
