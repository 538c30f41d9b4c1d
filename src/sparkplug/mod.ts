/**
 * Sparkplug B: topics, payloads, and the rules that a server can judge by, each with the tck-id of its
 * statement. Pure: time is an argument, bytes and facts go in, verdicts and views come out.
 */
export * from "./acl_templates.ts";
export * from "./awareness.ts";
export type * from "./judging.ts";
export * from "./load_judging.ts";
export * from "./ndeath_timestamp.ts";
export * from "./topic.ts";
