/** Every fuzz target. */
import { ACCESS_FILES } from "./access_files.ts";
import { ACCESS_RULES } from "./access_rules.ts";
import { CERTIFICATE } from "./certificate.ts";
import { CONFIG } from "./config.ts";
import { CORE } from "./core.ts";
import { CRL } from "./crl.ts";
import { DECODER } from "./decoder.ts";
import { HTTP_REQUEST } from "./http_request.ts";
import { PROXY_PROTOCOL } from "./proxy_protocol.ts";
import { ROUND_TRIP } from "./round_trip.ts";
import { SPARKPLUG_READER } from "./sparkplug_reader.ts";
import { SPARKPLUG_REFEREE } from "./sparkplug_referee.ts";
import type { Target } from "./target.ts";
import { TOPIC_FILTER } from "./topic_filter.ts";
import { WEBSOCKET } from "./websocket.ts";

/** In the order in which they begin: the slow ones first, so that no processor waits for them in the end. */
export const TARGETS: readonly Target[] = [
  CORE,
  SPARKPLUG_REFEREE,
  CONFIG,
  ACCESS_RULES,
  SPARKPLUG_READER,
  WEBSOCKET,
  TOPIC_FILTER,
  ROUND_TRIP,
  DECODER,
  CERTIFICATE,
  HTTP_REQUEST,
  PROXY_PROTOCOL,
  ACCESS_FILES,
  CRL,
];
