/** Every rule, by name; and the statements about traffic that are never flagged, with the reason. */
import { COMMAND_RULES, DATA_RULES, DBIRTH_RULES, NBIRTH_RULES } from "./_flow_rules.ts";
import { HOST_RULES } from "./_host_rules.ts";
import { METRIC_RULES, STRUCTURE_RULES } from "./_payload_rules.ts";
import { CONNECT_RULES, DEATH_RULES, TOPIC_RULES } from "./_session_rules.ts";
import type { Rule, TckId } from "./rule.ts";

const TABLE = {
  ...TOPIC_RULES,
  ...CONNECT_RULES,
  ...NBIRTH_RULES,
  ...DBIRTH_RULES,
  ...DATA_RULES,
  ...DEATH_RULES,
  ...COMMAND_RULES,
  ...METRIC_RULES,
  ...STRUCTURE_RULES,
  ...HOST_RULES,
} as const;

/** The name of a rule. */
export type RuleName = keyof typeof TABLE;

/** Rules by name. */
export const RULES: Readonly<Record<RuleName, Rule>> = TABLE;

/** Every rule with its name, in the order of the tables. */
export const RULE_NAMES: readonly RuleName[] = Object.keys(TABLE) as RuleName[];

/** Every statement that some rule judges. */
export const JUDGED_IDS: ReadonlySet<TckId> = new Set(
  RULE_NAMES.flatMap((name) => RULES[name].ids),
);

/** Why a statement about traffic is never flagged. */
export type UnjudgedReason = "allows" | "mqtt5" | "given" | "host-internal" | "across-servers";

const UNJUDGED: Readonly<Record<UnjudgedReason, string>> = {
  // What it allows or leaves open must not be flagged.
  allows: `topic-structure-namespace-duplicate-device-id-across-edge-node
    operational-behavior-edge-node-intentional-disconnect-packet
    operational-behavior-host-application-disconnect-intentional
    payloads-name-cmd-requirement payloads-template-instance-members-data
    payloads-template-definition-parameters-default`,
  mqtt5: `principles-persistence-clean-session-50 message-flow-phid-sparkplug-clean-session-50
    payloads-ndeath-will-message-publisher-disconnect-mqtt50`,
  // MQTT itself sees to it.
  given: "message-flow-edge-node-birth-publish-connect",
  // What happens inside of an Edge Node or a Host Application does not show on the wire.
  "host-internal": `operational-behavior-device-ddeath
    operational-behavior-edge-node-termination-host-action-ndeath-node-offline
    operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale
    operational-behavior-edge-node-termination-host-action-ndeath-devices-offline
    operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale
    operational-behavior-edge-node-termination-host-action-ddeath-devices-offline
    operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale
    operational-behavior-host-reordering-param operational-behavior-host-reordering-start
    operational-behavior-host-reordering-success operational-behavior-host-reordering-rebirth`,
  "across-servers": `operational-behavior-edge-node-termination-host-offline-reconnect
    operational-behavior-primary-application-state-with-multiple-servers-single-server
    operational-behavior-primary-application-state-with-multiple-servers-walk
    operational-behavior-host-application-multi-server-timestamp`,
};

/** Statements about traffic that no rule judges, with the reason. */
export const UNJUDGED_IDS: ReadonlyMap<TckId, UnjudgedReason> = new Map(
  Object.entries(UNJUDGED).flatMap(([reason, ids]) =>
    ids.split(/\s+/).map((id) => [`tck-id-${id}`, reason as UnjudgedReason] as const)
  ),
);

/** What `fix` changes in a message; rules without an entry cannot be fixed. */
export interface Fix {
  readonly retain?: boolean;
  readonly qos?: 0 | 1;
}

/** Fixes by rule. */
export const FIXES: { readonly [N in RuleName]?: Fix } = {
  willQos: { qos: 1 },
  willRetain: { retain: false },
  nbirthQos: { qos: 0 },
  nbirthRetain: { retain: false },
  dbirthQos: { qos: 0 },
  dbirthRetain: { retain: false },
  ndataQos: { qos: 0 },
  ndataRetain: { retain: false },
  ddataQos: { qos: 0 },
  ddataRetain: { retain: false },
  ddeathQos: { qos: 0 },
  ddeathRetain: { retain: false },
  ncmdQos: { qos: 0 },
  ncmdRetain: { retain: false },
  dcmdQos: { qos: 0 },
  dcmdRetain: { retain: false },
  hostWillQos: { qos: 1 },
  hostWillRetain: { retain: true },
  hostBirthRetain: { retain: true },
  hostDeathRetain: { retain: true },
};
