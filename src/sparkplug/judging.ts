/**
 * The referee and what belongs to it, as one module that is loaded only where somebody is judged: it
 * holds the rules and, by its codec, protobufjs.
 */
export * from "./capture.ts";
export type { Census } from "./census.ts";
export * from "./conformance_report.ts";
export type { ConnectFacts, WillFacts } from "./connect_judge.ts";
export type { PublishVerdict } from "./judgement.ts";
export { JudgedTopic, SparkplugJudging } from "./judging_policy.ts";
export * from "./last_values.ts";
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
export * from "./topology.ts";
export * from "./value_view.ts";
export type { Breach, BrokenRule, Violation, ViolationCount } from "./violation_log.ts";
