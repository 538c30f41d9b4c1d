/** Breaches that a topic alone shows. */
import type { Judgement } from "./judgement.ts";
import type { RuleName } from "./rules.ts";
import type { TopicFault, TopicTckId } from "./topic.ts";

const RULE_OF_FAULT: Readonly<Record<TopicTckId, RuleName>> = {
  "tck-id-topic-structure": "topicStructure",
  "tck-id-topic-structure-namespace-a": "topicNamespaceA",
  "tck-id-topic-structure-namespace-valid-group-id": "topicGroupId",
  "tck-id-topic-structure-namespace-valid-edge-node-id": "topicNodeId",
  "tck-id-topic-structure-namespace-valid-device-id": "topicDeviceId",
  "tck-id-topic-structure-namespace-device-id-associated-message-types": "topicDeviceMissing",
  "tck-id-topic-structure-namespace-device-id-non-associated-message-types":
    "topicDeviceSuperfluous",
};

const RULE_OF_TYPE: ReadonlyMap<string, RuleName> = new Map([
  ["NBIRTH", "topicNbirth"],
  ["NDATA", "topicNdata"],
  ["NDEATH", "topicNdeath"],
  ["NCMD", "topicNcmd"],
  ["DBIRTH", "topicDbirth"],
  ["DDATA", "topicDdata"],
  ["DDEATH", "topicDdeath"],
  ["DCMD", "topicDcmd"],
]);

/** Notes what is wrong with a topic, and of which message type it was meant to be. */
export function breachTopic(fault: TopicFault, topic: string, judgement: Judgement): void {
  judgement.breach(RULE_OF_FAULT[fault.tckId], fault.detail);
  if (fault.tckId === "tck-id-topic-structure-namespace-a") return;
  for (const level of topic.split("/").slice(1)) {
    const name = RULE_OF_TYPE.get(level.toUpperCase());
    if (name === undefined) continue;
    judgement.breach(name, fault.detail);
    return;
  }
}
