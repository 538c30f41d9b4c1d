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

/** In the order in which they run. */
export const TARGETS: readonly Target[] = [
  DECODER,
  ROUND_TRIP,
  TOPIC_FILTER,
  PROXY_PROTOCOL,
  CORE,
  ACCESS_RULES,
  ACCESS_FILES,
  CERTIFICATE,
  CRL,
  SPARKPLUG_READER,
  SPARKPLUG_REFEREE,
  WEBSOCKET,
  CONFIG,
  HTTP_REQUEST,
];
