/** Cases of topics, identity, CONNECT, subscriptions and deaths. */
import { metric, payload } from "./_encode.ts";
import type { RuleCase, RuleCases } from "./_case.ts";
import type { Plant } from "./_plant.ts";

const EMPTY = new Uint8Array(0);

/** A message on a wrong topic against one on the right one. */
function topic(wrong: string, right: string): RuleCase {
  return {
    breach: (p) => {
      p.joinHost();
      p.join();
      p.send(wrong, EMPTY);
    },
    correct: (p) => {
      p.joinHost();
      p.join();
      p.send(right, EMPTY);
    },
  };
}

export const TOPIC_CASES: RuleCases = {
  topicStructure: topic("spBv1.0/G/FOO/E", "spBv1.0/G/NBIRTH/E"),
  topicNbirth: topic("spBv1.0/G/NBIRTH/E/D", "spBv1.0/G/NBIRTH/E"),
  topicNdata: topic("spBv1.0/G/NDATA", "spBv1.0/G/NDATA/E"),
  topicNdeath: topic("spBv1.0/G/Ndeath/E", "spBv1.0/G/NDEATH/E"),
  topicNcmd: topic("spBv1.0/NCMD/G/E", "spBv1.0/G/NCMD/E"),
  topicDbirth: topic("spBv1.0/G/DBIRTH/E", "spBv1.0/G/DBIRTH/E/D"),
  topicDdata: topic("spBv1.0/G/DDATA/E/D/x", "spBv1.0/G/DDATA/E/D"),
  topicDdeath: topic("spBv1.0//DDEATH/E/D", "spBv1.0/G/DDEATH/E/D"),
  topicDcmd: topic("spBv1.0/G/DCMD/E", "spBv1.0/G/DCMD/E/D"),
  topicNamespaceA: topic("spAv1.0/G/NBIRTH/E", "spBv1.0/G/NBIRTH/E"),
  topicGroupId: topic("spBv1.0//NDATA/E", "spBv1.0/ /NDATA/E"),
  topicNodeId: topic("spBv1.0/G/NDATA/", "spBv1.0/G/NDATA/ "),
  topicDeviceId: topic("spBv1.0/G/DDATA/E/", "spBv1.0/G/DDATA/E/ "),
  topicDeviceMissing: topic("spBv1.0/G/DDATA/E", "spBv1.0/G/DDATA/E/D"),
  topicDeviceSuperfluous: topic("spBv1.0/G/NDATA/E/D", "spBv1.0/G/NDATA/E"),
  nodeUnique: {
    breach: (p) => {
      p.bornNode({ id: "first" });
      p.join({ id: "second" });
    },
    correct: (p) => {
      p.bornNode({ id: "first" });
      p.join({ id: "first", bdSeq: 1 });
      p.leave(p.edge, false);
      p.join({ id: "second", bdSeq: 2 });
      p.join({ id: "third", node: "E2" });
    },
  },
  deviceUnique: {
    breach: (p) => {
      p.bornDevice();
      p.dbirth({ metrics: [p.temperature(true)] });
    },
    correct: (p) => {
      p.bornDevice();
      p.dbirth();
      // The same Device under another Edge Node is another Device.
      p.bornNode({ node: "E2" });
      p.dbirth({ metrics: [p.temperature(true)] });
    },
  },
  idsCase: {
    breach: (p) => {
      p.bornNode({ node: "Edge" });
      p.join({ node: "EDGE" });
      p.nbirth();
    },
    correct: (p) => {
      p.bornNode({ node: "Edge" });
      p.join({ node: "Other" });
      p.nbirth();
    },
  },
};

/** An NDEATH with these metrics as the Will, against the usual one. */
function will(bytes: (p: Plant) => Uint8Array): RuleCase {
  return {
    breach: (p) => p.join({ will: { payload: bytes(p) } }),
    correct: (p) => p.join(),
  };
}

export const CONNECT_CASES: RuleCases = {
  willMissing: {
    breach: (p) => {
      p.join({ will: null });
      p.nbirth();
    },
    correct: (p) => p.bornNode(),
  },
  willTopic: {
    breach: (p) => {
      p.join({ node: "Other" });
      p.nbirth({ node: "E" });
    },
    correct: (p) => p.bornNode({ node: "Other" }),
  },
  willPayload: will(() => Uint8Array.of(0x12, 0xff)),
  willBdSeq: will((p) => payload({ timestamp: p.nowMs, metrics: [p.bdSeq(256)] })),
  willBdSeqType: will((p) => payload({ timestamp: p.nowMs, metrics: [p.bdSeq(0, { type: 8 })] })),
  ndeathPayload: will((p) => {
    const more = metric({ name: "more", timestamp: p.nowMs, type: 11, value: [14, true] });
    return payload({ timestamp: p.nowMs, metrics: [p.bdSeq(0), more] });
  }),
  ndeathSeq: {
    breach: (p) => p.bornNode().ndeath({ seq: 1 }),
    correct: (p) => p.bornNode().ndeath(),
  },
  willQos: {
    breach: (p) => p.join({ will: { qos: 0 } }),
    correct: (p) => p.join({ will: { qos: 1 } }),
  },
  willRetain: {
    breach: (p) => p.join({ will: { retain: true } }),
    correct: (p) => p.bornNode().ndeath({ qos: 1 }),
  },
  nodeCleanSession: {
    breach: (p) => p.join({ cleanSession: false }),
    correct: (p) => {
      p.join();
      p.connect("not Sparkplug", { cleanSession: false, will: null });
    },
  },
  bdSeqAgain: {
    breach: (p) => {
      p.join({ bdSeq: 7 });
      p.leave(p.edge, false);
      p.join({ bdSeq: 7 });
    },
    correct: (p) => {
      p.join({ bdSeq: 7 });
      p.leave(p.edge, false);
      p.join({ bdSeq: 8 });
    },
  },
  bdSeqJump: {
    breach: (p) => {
      p.join({ bdSeq: 7 });
      p.leave(p.edge, false);
      p.join({ bdSeq: 9 });
    },
    correct: (p) => {
      p.join({ bdSeq: 255 });
      p.leave(p.edge, false);
      p.join({ bdSeq: 0 });
    },
  },
  ncmdSubscription: {
    breach: (p) => p.bornNode({ filters: [["spBv1.0/G/NCMD/Other", 1]] }),
    correct: (p) => p.bornNode({ filters: [["spBv1.0/+/NCMD/E/#", 1]] }),
  },
  ncmdSubscriptionQos: {
    breach: (p) => p.bornNode({ filters: [["spBv1.0/G/NCMD/E", 0]] }),
    correct: (p) => p.bornNode({ filters: [["spBv1.0/G/NCMD/E", 0], ["spBv1.0/G/#", 2]] }),
  },
  dcmdSubscription: {
    breach: (p) => p.bornDevice({ filters: [["spBv1.0/G/NCMD/E", 1]] }),
    correct: (p) => p.bornDevice({ filters: [["spBv1.0/G/NCMD/E", 1], ["spBv1.0/G/DCMD/E/D", 1]] }),
  },
  stateSubscription: {
    breach: (p) => p.bornNode({ filters: [["spBv1.0/G/NCMD/E", 1], ["STATE/H", 1]] }),
    correct: (p) =>
      p.bornNode({
        filters: [["spBv1.0/G/NCMD/E", 1], ["STATE/H", 1], ["spBv1.0/STATE/H", 1]],
      }),
  },
};

export const DEATH_CASES: RuleCases = {
  ndeathBdSeq: {
    breach: (p) => p.bornNode().ndeath({ metrics: [p.bdSeq(9)] }),
    correct: (p) => p.bornNode().ndeath(),
  },
  ddeathQos: {
    breach: (p) => p.bornDevice().ddeath({ qos: 1 }),
    correct: (p) => p.bornDevice().ddeath({ qos: 0 }),
  },
  ddeathRetain: {
    breach: (p) => p.bornDevice().ddeath({ retain: true }),
    correct: (p) => p.bornDevice().ddeath({ retain: false }),
  },
  ddeathSeq: {
    breach: (p) => p.bornDevice().ddeath({ seq: 5 }),
    correct: (p) => p.bornDevice().ddeath({ seq: 2 }),
  },
  ddeathTimestamp: {
    breach: (p) => p.bornDevice().ddeath({ timestamp: null }),
    correct: (p) => p.bornDevice().ddeath(),
  },
  disconnectWithoutNdeath: {
    breach: (p) => p.leave(p.bornNode().edge),
    correct: (p) => {
      p.bornNode().ndeath();
      p.leave(p.edge);
      p.leave(p.bornNode({ bdSeq: 1 }).edge, false);
    },
  },
};
