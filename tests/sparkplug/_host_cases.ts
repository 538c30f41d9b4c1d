/** Cases of Host Applications. */
import type { RuleCase, RuleCases } from "./_case.ts";
import { json, type Plant, type Sending, START_MS } from "./_plant.ts";

/** A Will of the host like this, against the usual one. */
function will(parts: NonNullable<Parameters<Plant["joinHost"]>[0]>["will"]): RuleCase {
  return {
    breach: (p) => p.joinHost({ will: parts! }),
    correct: (p) => p.joinHost(),
  };
}

/** A STATE like this of a host that is online, and the right one. */
function state(online: boolean, wrong: Sending & { timestamp?: number }): RuleCase {
  return {
    breach: (p) => {
      p.joinHost();
      if (!online) p.state(true);
      p.state(online, wrong);
    },
    correct: (p) => {
      p.joinHost();
      if (!online) p.state(true);
      p.state(online);
    },
  };
}

export const HOST_CASES: RuleCases = {
  hostUnannounced: {
    breach: (p) => {
      p.joinHost({ will: null });
      p.bornNode().ncmd();
    },
    correct: (p) => p.onlineHost().bornNode().ncmd(),
  },
  hostWill: {
    breach: (p) => {
      p.joinHost({ will: null });
      p.state(true);
    },
    correct: (p) => p.onlineHost(),
  },
  hostWillPayload: will({ payload: json({ online: true, timestamp: START_MS }) }),
  hostWillTimestamp: will({ payload: json({ online: false, timestamp: START_MS - 120_000 }) }),
  hostWillQos: will({ qos: 0 }),
  hostWillRetain: will({ retain: false }),
  hostCleanSession: {
    breach: (p) => p.joinHost({ cleanSession: false }),
    correct: (p) => p.joinHost({ cleanSession: true }),
  },
  hostSubscription: {
    breach: (p) => {
      p.joinHost({ filters: [["spBv1.0/STATE/H", 1]] });
      p.state(true);
    },
    correct: (p) => {
      p.joinHost({ filters: [["spBv1.0/STATE/+", 1], ["spBv1.0/G/NDATA/#", 0]] });
      p.state(true);
    },
  },
  hostBirthFirst: {
    breach: (p) => {
      p.joinHost();
      p.ncmd();
    },
    correct: (p) => p.onlineHost().ncmd(),
  },
  hostBirthTopic: {
    breach: (p) => {
      p.joinHost();
      const bytes = json({ online: true, timestamp: p.nowMs });
      p.send("spBv1.0/STATE/Other", bytes, { client: p.host, qos: 1, retain: true });
    },
    correct: (p) => p.onlineHost(),
  },
  hostBirthQos: state(true, { qos: 0 }),
  hostBirthRetain: state(true, { retain: false }),
  hostBirthPayload: state(true, { bytes: json({ online: true, timestamp: "1" }) }),
  hostBirthTimestamp: state(true, { timestamp: START_MS + 1 }),
  hostAnswers: {
    breach: (p) => {
      p.onlineHost();
      p.announce("spBv1.0/STATE/H", json({ online: false, timestamp: p.nowMs - 1 }));
      p.wait(7000);
    },
    correct: (p) => {
      p.onlineHost();
      p.announce("spBv1.0/STATE/H", json({ online: false, timestamp: p.nowMs - 1 }));
      p.wait(1000);
      p.state(true);
      p.wait(7000);
    },
  },
  hostTermination: {
    breach: (p) => p.leave(p.onlineHost().host),
    correct: (p) => {
      p.onlineHost().state(false);
      p.leave(p.host);
      p.leave(p.onlineHost().host, false);
    },
  },
  hostDeathTopic: {
    breach: (p) => {
      p.onlineHost();
      const bytes = json({ online: false, timestamp: p.nowMs });
      p.send("spBv1.0/STATE/Other", bytes, { client: p.host, qos: 1, retain: true });
    },
    correct: (p) => p.onlineHost().state(false),
  },
  hostDeathQos: state(false, { qos: 0 }),
  hostDeathRetain: state(false, { retain: false }),
  hostDeathTimestamp: state(false, { timestamp: START_MS - 120_000 }),
  hostUnique: {
    breach: (p) => {
      p.onlineHost();
      p.joinHost({ id: "another client" });
    },
    correct: (p) => {
      p.onlineHost();
      p.joinHost();
      p.leave(p.host, false);
      p.joinHost({ id: "another client" });
    },
  },
};
