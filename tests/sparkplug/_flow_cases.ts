/** Cases of births, data and commands. */
import { metric, type MetricParts } from "./_encode.ts";
import type { RuleCase, RuleCases } from "./_case.ts";
import type { Content, Plant } from "./_plant.ts";

const BROKEN = Uint8Array.of(0x12, 0xff);

type Type = "nbirth" | "dbirth" | "ndata" | "ddata" | "ncmd" | "dcmd";

/** Everything that is needed for a message of this type to be right. */
export function ready(p: Plant, type: Type): Plant {
  if (type === "ncmd" || type === "dcmd") p.onlineHost();
  if (type === "nbirth") p.join();
  else if (type === "dbirth" || type === "ndata" || type === "ncmd") p.bornNode();
  else p.bornDevice();
  return p;
}

/** One message that is wrong, and the same one right. */
export function sent(
  type: Type,
  wrong: Content | ((p: Plant) => Content),
  right: Content | ((p: Plant) => Content) = {},
): RuleCase {
  return {
    breach: (p) => ready(p, type)[type](typeof wrong === "function" ? wrong(p) : wrong),
    correct: (p) => ready(p, type)[type](typeof right === "function" ? right(p) : right),
  };
}

/** An NBIRTH with Node Control/Rebirth like this. */
function rebirth(parts: MetricParts): RuleCase {
  return sent("nbirth", (p) => ({ metrics: [...p.usual(), ...p.rebirthMetric(parts)] }));
}

/** A birth whose first metric is like this. */
function firstMetric(type: "nbirth" | "dbirth", parts: MetricParts): RuleCase {
  return sent(type, (p) => {
    const usual = { name: "Temperature", timestamp: p.nowMs, type: 9 };
    const rest = type === "nbirth" ? p.rebirthMetric() : [];
    return { metrics: [metric({ ...usual, ...parts }), ...rest] };
  });
}

const WATCHING = [
  ["spBv1.0/G/NCMD/E", 1],
  ["spBv1.0/STATE/H", 1],
] as const;

export const NBIRTH_CASES: RuleCases = {
  birthFirst: {
    breach: (p) => {
      p.join();
      p.ddeath();
    },
    correct: (p) => p.bornDevice().ddata(),
  },
  nbirthQos: sent("nbirth", { qos: 1 }, { qos: 0 }),
  nbirthRetain: sent("nbirth", { retain: true }, { retain: false }),
  nbirthPayload: sent("nbirth", { bytes: BROKEN }),
  nbirthSeq: sent("nbirth", { seq: null }, { seq: 255 }),
  nbirthSeqZero: sent("nbirth", { seq: 17 }, { seq: 0 }),
  nbirthTimestamp: sent("nbirth", { timestamp: null }),
  nbirthBdSeq: sent("nbirth", (p) => ({ metrics: [...p.usual(), p.rebirthMetric()[1]!] })),
  nbirthBdSeqMatch: {
    breach: (p) => {
      p.join({ bdSeq: 3 });
      p.nbirth({ metrics: [...p.usual(), p.bdSeq(4), p.rebirthMetric()[1]!] });
    },
    correct: (p) => p.bornNode({ bdSeq: 3 }),
  },
  rebirthBdSeq: {
    breach: (p) => {
      p.bornNode();
      p.nbirth({ metrics: [...p.usual(), p.bdSeq(1), p.rebirthMetric()[1]!] });
    },
    correct: (p) => p.bornNode().nbirth(),
  },
  rebirthMetric: sent("nbirth", (p) => ({ metrics: [...p.usual(), p.bdSeq(0)] })),
  rebirthDataType: rebirth({ type: 3, value: [10, 0] }),
  rebirthValue: rebirth({ value: [14, true] }),
  rebirthAlias: rebirth({ alias: 9 }),
  nbirthMetrics: firstMetric("nbirth", {}),
  ndataKnown: sent(
    "ndata",
    (p) => ({ metrics: [{ name: "Nobody", timestamp: p.nowMs, value: [10, 1] }] }),
    (p) => ({ metrics: [{ alias: 1, timestamp: p.nowMs, value: [10, 1] }] }),
  ),
  ndataOrder: sent("ndata", (p) => ({
    metrics: [p.temperature(), { alias: 1, timestamp: p.nowMs - 1, value: [10, 1] }],
  }), (p) => ({
    metrics: [
      p.temperature(),
      { alias: 1, timestamp: p.nowMs - 1, value: [10, 1], historical: true },
    ],
  })),
  metricNamesCase: sent("nbirth", (p) => ({
    metrics: [
      ...p.usual(),
      ...p.rebirthMetric(),
      metric({ name: "COUNT", timestamp: p.nowMs, type: 7, value: [10, 5] }),
    ],
  })),
  primaryWait: {
    breach: (p) => p.bornNode({ filters: WATCHING }),
    correct: (p) => p.onlineHost().bornNode({ filters: WATCHING }),
  },
  primaryOffline: {
    breach: (p) => {
      p.onlineHost().bornNode({ filters: WATCHING });
      p.state(false, { timestamp: p.nowMs });
      p.wait(12_000);
    },
    correct: (p) => {
      p.onlineHost().bornNode({ filters: WATCHING });
      p.state(false, { timestamp: p.nowMs });
      p.ndeath();
      p.leave(p.edge);
      p.wait(12_000);
    },
  },
  primaryOfflineStale: {
    breach: (p) => {
      p.onlineHost().bornNode({ filters: WATCHING });
      p.state(false, { timestamp: p.nowMs - 5000 });
      p.ndeath();
      p.leave(p.edge);
    },
    correct: (p) => {
      p.onlineHost().bornNode({ filters: WATCHING });
      p.state(false, { timestamp: p.nowMs });
      p.ndeath();
      p.leave(p.edge);
    },
  },
};

export const DBIRTH_CASES: RuleCases = {
  dbirthAfterNbirth: {
    breach: (p) => {
      p.join();
      p.dbirth();
    },
    correct: (p) => p.bornDevice(),
  },
  dbirthNode: {
    breach: (p) => p.bornNode({ node: "Other" }).dbirth({ node: "E" }),
    correct: (p) => p.bornNode({ node: "Other" }).dbirth(),
  },
  dbirthPayload: sent("dbirth", { bytes: BROKEN }),
  dbirthQos: sent("dbirth", { qos: 2 }, { qos: 0 }),
  dbirthRetain: sent("dbirth", { retain: true }, { retain: false }),
  dbirthSeq: sent("dbirth", { seq: 3 }, { seq: 1 }),
  dbirthTimestamp: sent("dbirth", { timestamp: null }),
  dbirthMetrics: firstMetric("dbirth", {}),
  ddataKnown: sent(
    "ddata",
    (p) => ({ metrics: [{ alias: 1, timestamp: p.nowMs, value: [10, 1] }] }),
    (p) => ({ metrics: [{ alias: 2, timestamp: p.nowMs, value: [10, 1] }] }),
  ),
  dbirthOrder: {
    breach: (p) => {
      p.bornNode().ndata();
      p.dbirth();
    },
    correct: (p) => {
      p.bornDevice().ndata();
      p.ddeath();
      p.dbirth();
    },
  },
  ddataOrder: sent("ddata", (p) => ({
    metrics: [p.temperature(), { alias: 2, timestamp: p.nowMs - 1, value: [10, 1] }],
  }), (p) => ({
    metrics: [p.temperature(), { alias: 2, timestamp: p.nowMs, value: [10, 1] }],
  })),
};

export const DATA_CASES: RuleCases = {
  ndataBeforeBirth: {
    breach: (p) => {
      p.join();
      p.ndata();
    },
    correct: (p) => p.bornNode().ndata(),
  },
  ddataBeforeBirth: {
    breach: (p) => {
      p.bornDevice().ddeath();
      p.ddata();
    },
    correct: (p) => p.bornDevice().ddata(),
  },
  ndataQos: sent("ndata", { qos: 1 }, { qos: 0 }),
  ndataRetain: sent("ndata", { retain: true }, { retain: false }),
  ddataQos: sent("ddata", { qos: 1 }, { qos: 0 }),
  ddataRetain: sent("ddata", { retain: true }, { retain: false }),
  ndataSeq: sent("ndata", { seq: null }, { seq: 1 }),
  ddataSeq: sent("ddata", { seq: 256 }, { seq: 2 }),
  ndataSeqNext: sent("ndata", { seq: 2 }, { seq: 1 }),
  ddataSeqNext: sent("ddata", { seq: 1 }, { seq: 2 }),
  ndataTimestamp: sent("ndata", { timestamp: null }),
  ddataTimestamp: sent("ddata", { timestamp: null }),
  ndataEmpty: sent("ndata", { metrics: [] }),
  ddataEmpty: sent("ddata", { metrics: [] }),
  ndataUnchanged: {
    options: { reportByException: true },
    breach: (p) => {
      p.bornNode().ndata({ metrics: [p.temperature(false, 21)] });
      p.ndata({ metrics: [p.temperature(false, 21)] });
    },
    correct: (p) => {
      p.bornNode().ndata({ metrics: [p.temperature(false, 21)] });
      p.ndata({ metrics: [p.temperature(false, 22)] });
      p.ndata({ metrics: [p.temperature(false, 21)] });
    },
  },
  ddataUnchanged: {
    options: { reportByException: true },
    breach: (p) => {
      p.bornDevice().ddata({ metrics: [p.temperature(false, 21)] });
      p.ddata({ metrics: [p.temperature(false, 21)] });
    },
    correct: (p) => {
      p.bornDevice().ddata({ metrics: [p.temperature(false, 21)] });
      p.ddata({ metrics: [p.temperature(false, 22)] });
    },
  },
};

function command(name: string, value: MetricParts["value"]): (p: Plant) => Content {
  return (p) => ({ metrics: [{ name, timestamp: p.nowMs, value: value! }] });
}

const REBIRTH = "Node Control/Rebirth";

export const COMMAND_CASES: RuleCases = {
  ncmdQos: sent("ncmd", { qos: 1 }, { qos: 0 }),
  ncmdRetain: sent("ncmd", { retain: true }, { retain: false }),
  dcmdQos: sent("dcmd", { qos: 1 }, { qos: 0 }),
  dcmdRetain: sent("dcmd", { retain: true }, { retain: false }),
  ncmdTimestamp: sent("ncmd", { timestamp: null }),
  dcmdTimestamp: sent("dcmd", { timestamp: null }),
  ncmdSeq: sent("ncmd", { seq: 0 }),
  dcmdSeq: sent("dcmd", { seq: 0 }),
  ncmdEmpty: sent("ncmd", { metrics: [] }),
  dcmdEmpty: sent("dcmd", { metrics: [] }),
  ncmdMetricName: sent("ncmd", command("Nobody", [10, 1]), command("Count", [10, 1])),
  dcmdMetricName: sent("dcmd", command("Nobody", [10, 1]), command("Count", [10, 1])),
  ncmdMetricValue: sent("ncmd", command("Count", [15, "five"]), command("Count", [11, 5])),
  dcmdMetricValue: sent("dcmd", command("Count", [14, true]), command("Count", [10, 5])),
  rebirthVerb: {
    breach: (p) => ready(p, "dcmd").dcmd(command(REBIRTH, [14, true])(p)),
    correct: (p) => ready(p, "ncmd").askRebirth(),
  },
  rebirthRequestName: {
    breach: (p) => ready(p, "ncmd").ncmd(command("node control/rebirth", [14, true])(p)),
    correct: (p) => ready(p, "ncmd").askRebirth(),
  },
  rebirthRequestValue: {
    breach: (p) => ready(p, "ncmd").ncmd(command(REBIRTH, [14, false])(p)),
    correct: (p) => ready(p, "ncmd").askRebirth(),
  },
  rebirthStops: {
    breach: (p) => {
      ready(p, "ncmd").askRebirth();
      p.wait(3000);
      p.ndata();
    },
    correct: (p) => {
      ready(p, "ncmd").askRebirth();
      p.wait(500);
      p.ndata();
      p.nbirth();
      p.wait(3000);
      p.ndata();
    },
  },
  rebirthDone: {
    breach: (p) => {
      ready(p, "dcmd").askRebirth();
      p.nbirth();
      p.wait(12_000);
    },
    correct: (p) => {
      ready(p, "dcmd").askRebirth();
      p.nbirth();
      p.dbirth();
      p.wait(12_000);
    },
  },
};
