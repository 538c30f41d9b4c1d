/** Who may come in, and what they may do: pure decisions, and the files they are read from. */
export { ACCESS_FILE_LENGTH_MAX } from "./_access_file_reader.ts";
export * from "./access_rule.ts";
export * from "./access_rules.ts";
export * from "./client_rules.ts";
export * from "./file_diagnostic.ts";
export * from "./gatekeeper.ts";
export * from "./mosquitto_acl.ts";
export * from "./password_file.ts";
export * from "./password_file_edit.ts";
export * from "./password_gate.ts";
export * from "./password_hash.ts";
export * from "./rule_template.ts";
export * from "./security_policy.ts";
