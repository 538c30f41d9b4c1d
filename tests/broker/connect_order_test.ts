/** A CONNECT that is refused changes nothing, and one that is accepted gets no more than its right. */
import { assertEquals } from "@std/assert";
import {
  type AccessPolicy,
  type Connection,
  OPEN_ACCESS,
  type SparkplugPolicy,
} from "../../src/broker/mod.ts";
import { filter, name, payload } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";

type Referee = NonNullable<SparkplugPolicy["referee"]>;

const NDEATH = name("spBv1.0/G/NDEATH/E");
const WILL = { topic: NDEATH, payload: payload("x"), qos: 1 as const };

/** A referee for whom a Will makes an Edge Node, and the last one of two goes. */
function refereed(options: CoreOptions = {}): { core: Core; nodes: string[] } {
  const nodes: string[] = [];
  let owner: Connection | null = null;
  const referee: Referee = {
    connect: (client, { will }) => {
      const rival = will === null ? null : owner;
      if (will !== null) {
        owner = client as Connection;
        nodes.push(client.clientIdentifier);
      }
      return { kind: "accept", will, rival };
    },
    subscribed: () => {},
    unsubscribed: () => {},
    publish: () => ({ action: "route", retain: null, qos: null }),
    closed: () => false,
    willPublished: () => {},
  };
  const sparkplug: SparkplugPolicy = {
    classify: () => null,
    stampNodeDeath: null,
    retainLive: true,
    referee,
  };
  return { core: new Core({ ...options, sparkplug }), nodes };
}

Deno.test("who may not publish an NDEATH becomes no Edge Node by its Will, and drives nobody out", () => {
  const policy: AccessPolicy = {
    ...OPEN_ACCESS,
    publish: ({ clientIdentifier }) => clientIdentifier === "stranger" ? "drop" : "allow",
  };
  const { core, nodes } = refereed({ policy });
  const node = core.connect({ clientIdentifier: "node", will: WILL });
  const stranger = core.connect({ clientIdentifier: "stranger", will: WILL });
  assertEquals([node.connection.closed, stranger.connection.closed], [false, false]);
  assertEquals(nodes, ["node"]);
  assertEquals(core.statistics.dropped["publish-refused"], 1);
  const { kept } = core.broker.takeDenials()!;
  assertEquals(kept.map(({ action, topic }) => [action, topic]), [["will", NDEATH]]);
  stranger.lose();
  assertEquals(core.statistics.willsPublished, 0);
  assertEquals(core.store.load().wills.map(({ clientIdentifier }) => clientIdentifier), ["node"]);
});

Deno.test("for whom there is no room, nobody else has to go", () => {
  for (const short of [true, false]) {
    const { core, nodes } = refereed({ limits: { sessionsMax: 2, sessionsFull: "drop_newest" } });
    const host = core.connect({ clientIdentifier: "host" });
    host.subscribe("#", 1);
    const node = core.connect({ clientIdentifier: "node", will: WILL });
    const refuseConnections = short;
    core.broker.setPressure({ refuseConnections, shedQos0: false, shedQueues: false });
    const late = core.open();
    late.sendConnect({ clientIdentifier: "late", will: WILL });
    assertEquals(late.take("CONNACK").returnCode, 3);
    assertEquals(node.connection.closed, false);
    assertEquals(nodes, ["node"], "and the referee knows of nobody else");
    assertEquals([host.takeMessages().length, core.statistics.takeOvers], [0, 0]);
    assertEquals(core.statistics.sessionsRefused, 1);
  }
});

Deno.test("an older session goes for a new client only if that is let in", () => {
  let refuses = true;
  const referee: Referee = {
    connect: (_client, { will }) =>
      refuses && will !== null ? { kind: "refuse" } : { kind: "accept", will, rival: null },
    subscribed: () => {},
    unsubscribed: () => {},
    publish: () => ({ action: "route", retain: null, qos: null }),
    closed: () => false,
    willPublished: () => {},
  };
  const sparkplug = { classify: () => null, stampNodeDeath: null, retainLive: true, referee };
  const limits = { sessionsMax: 1, sessionsFull: "drop_oldest" } as const;
  const core = new Core({ sparkplug, limits });
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe(filter("#"), 1);
  away.disconnect();
  core.open().sendConnect({ clientIdentifier: "node", will: WILL });
  assertEquals([core.statistics.sessions, core.statistics.sessionsEvicted], [1, 0]);
  refuses = false;
  core.connect({ clientIdentifier: "node", will: WILL });
  assertEquals([core.statistics.sessions, core.statistics.sessionsEvicted], [1, 1]);
});

Deno.test("a client takes its session over where there are more sessions than there may be now", () => {
  const before = new Core({ limits: { sessionsMax: 8 } });
  for (const clientIdentifier of ["a", "b", "c"]) {
    before.connect({ clientIdentifier, cleanSession: false }).disconnect();
  }
  const core = new Core({
    limits: { sessionsMax: 2, sessionsFull: "drop_newest" },
    store: before.store,
  });
  for (const cleanSession of [false, true]) {
    const first = core.connect({ clientIdentifier: "a", cleanSession });
    core.connect({ clientIdentifier: "a", cleanSession });
    assertEquals(first.connection.closed, true);
  }
  core.open().sendConnect({ clientIdentifier: "d" });
  assertEquals([core.statistics.sessions, core.statistics.sessionsRefused], [3, 1]);
});

Deno.test("who is refused by the referee is told of with that reason, and not as one without password", () => {
  const referee = { connect: () => ({ kind: "refuse" }) } as unknown as Referee;
  const sparkplug = { classify: () => null, stampNodeDeath: null, retainLive: true, referee };
  const core = new Core({ sparkplug });
  core.open().sendConnect({ clientIdentifier: "node", will: WILL });
  const refusals = core.events.map((event) => event.kind === "closed" ? event.refusal : null);
  assertEquals(refusals, [{ returnCode: 5, reason: "sparkplug" }]);
});
