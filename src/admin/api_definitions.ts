/** Everything the API can be asked, without the code that answers: one line for each part. */
import { BAN_DEFINITIONS } from "./api_bans.ts";
import { CLIENT_DEFINITIONS } from "./api_clients.ts";
import { DEAD_LETTER_DEFINITIONS } from "./api_dead_letters.ts";
import { EVENT_DEFINITIONS } from "./api_events.ts";
import { IDENTITY_DEFINITIONS } from "./api_identity.ts";
import { LIMIT_DEFINITIONS } from "./api_limits.ts";
import { LISTENER_DEFINITIONS } from "./api_listeners.ts";
import { LOG_DEFINITIONS } from "./api_log.ts";
import { SPARKPLUG_DEFINITIONS } from "./api_sparkplug.ts";
import { BIRTH_DEFINITIONS } from "./api_sparkplug_births.ts";
import { PUBLISH_DEFINITIONS } from "./api_publish.ts";
import { RELOAD_DEFINITIONS } from "./api_reload.ts";
import { RETAINED_DEFINITIONS } from "./api_retained.ts";
import { SESSION_DEFINITIONS } from "./api_sessions.ts";
import { STATUS_DEFINITIONS } from "./api_status.ts";
import { type AnyDefinition, defineRoute } from "./route.ts";
import { anything } from "./schema.ts";

/** The document that says all this. */
export const OPENAPI = defineRoute({
  method: "GET",
  path: "/api/v1/openapi.json",
  role: null,
  tag: "api",
  summary: "This document, as OpenAPI 3.1",
  answer: anything("OpenAPI 3.1."),
});

/** All definitions. */
export const API_DEFINITIONS: readonly AnyDefinition[] = [
  OPENAPI,
  ...IDENTITY_DEFINITIONS,
  ...STATUS_DEFINITIONS,
  ...LISTENER_DEFINITIONS,
  ...LIMIT_DEFINITIONS,
  ...CLIENT_DEFINITIONS,
  ...BAN_DEFINITIONS,
  ...SESSION_DEFINITIONS,
  ...RETAINED_DEFINITIONS,
  ...PUBLISH_DEFINITIONS,
  ...DEAD_LETTER_DEFINITIONS,
  ...LOG_DEFINITIONS,
  ...RELOAD_DEFINITIONS,
  ...EVENT_DEFINITIONS,
  ...SPARKPLUG_DEFINITIONS,
  ...BIRTH_DEFINITIONS,
];
