/** The one table of scenarios: the referee alone and a running broker are both held to it. */
import type { RuleName } from "../../src/sparkplug/judging.ts";
import type { RuleCase } from "./_case.ts";
import { COMMAND_CASES, DATA_CASES, DBIRTH_CASES, NBIRTH_CASES } from "./_flow_cases.ts";
import { HOST_CASES } from "./_host_cases.ts";
import { METRIC_CASES, STRUCTURE_CASES } from "./_payload_cases.ts";
import type { Plant } from "./_plant.ts";
import { CONNECT_CASES, DEATH_CASES, TOPIC_CASES } from "./_session_cases.ts";

/** How each rule is broken and kept. */
export const CASES: { readonly [N in RuleName]?: RuleCase } = {
  ...TOPIC_CASES,
  ...CONNECT_CASES,
  ...DEATH_CASES,
  ...NBIRTH_CASES,
  ...DBIRTH_CASES,
  ...DATA_CASES,
  ...COMMAND_CASES,
  ...METRIC_CASES,
  ...STRUCTURE_CASES,
  ...HOST_CASES,
};

/** What the specification allows or leaves open, done. */
export const ALLOWED: Readonly<Record<string, (plant: Plant) => void>> = {
  "tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node": (p) => {
    p.bornDevice();
    p.bornDevice({ node: "E2" });
  },
  "tck-id-operational-behavior-edge-node-intentional-disconnect-packet": (p) => {
    p.bornNode().ndeath();
    p.leave(p.edge, false);
    p.bornNode({ bdSeq: 1 }).ndeath({ metrics: [p.bdSeq(1)] });
    p.leave(p.edge, true);
  },
  "tck-id-operational-behavior-host-application-disconnect-intentional": (p) => {
    p.onlineHost().state(false);
    p.leave(p.host, false);
    p.onlineHost().state(false);
    p.leave(p.host, true);
  },
  "tck-id-payloads-name-cmd-requirement": (p) => {
    p.onlineHost().bornNode().ncmd({ metrics: [{ name: "Count", value: [10, 1] }] });
  },
  "tck-id-payloads-template-instance-members-data": (p) =>
    STRUCTURE_CASES.instanceComplete!.correct(p),
  "tck-id-payloads-template-definition-parameters-default": (p) =>
    STRUCTURE_CASES.parameterValue!.correct(p),
};
