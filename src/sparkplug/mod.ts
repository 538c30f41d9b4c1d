/**
 * Sparkplug B: topics, payloads, and the rules that a server can judge by, each with the tck-id of its
 * statement. Pure: time is an argument, bytes and facts go in, verdicts and views come out.
 */
export * from "./acl_templates.ts";
export * from "./awareness.ts";
export * from "./capture.ts";
export * from "./conformance_report.ts";
export type { ConnectFacts, WillFacts } from "./connect_judge.ts";
export * from "./ndeath_timestamp.ts";
export type { PublishVerdict } from "./judgement.ts";
export type { RefereeClient } from "./node_state.ts";
export * from "./overrides.ts";
export * from "./payload.ts";
export { PayloadCodec } from "./payload_codec.ts";
export * from "./payload_json.ts";
export * from "./payload_limits.ts";
export type { RebirthRequest } from "./rebirth_requests.ts";
export * from "./referee.ts";
export * from "./referee_options.ts";
export type { PublishFacts } from "./referee_parts.ts";
export * from "./rule.ts";
export * from "./rules.ts";
export * from "./state_payload.ts";
export * from "./topic.ts";
export * from "./topology.ts";
export type { Violation, ViolationCount } from "./violation_log.ts";
