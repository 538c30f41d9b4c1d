/** What people and programs see of the broker over HTTP: metrics, health and the admin API. */
export { AdminAccess } from "./access.ts";
export { adminRoutes } from "./admin_routes.ts";
export type { ApiAudit } from "./api.ts";
export { type ApiClientEvent, eventRoutes } from "./api_events.ts";
export { type ApiBan, banRoutes, type BansView } from "./api_bans.ts";
export {
  type ApiClient,
  type ApiClientDetails,
  clientRoutes,
  type ClientsView,
  SUBSCRIPTIONS_SHOWN,
} from "./api_clients.ts";
export {
  type ApiLetterChoice,
  deadLetterRoutes,
  type DeadLettersView,
  type LetterProblem,
} from "./api_dead_letters.ts";
export { API_DEFINITIONS } from "./api_definitions.ts";
export { type ApiLimit, limitRoutes } from "./api_limits.ts";
export { type ApiCertificate, type ApiListener, listenerRoutes } from "./api_listeners.ts";
export { type ReloadOutcome, reloadRoutes } from "./api_reload.ts";
export { type ApiLogLine, logRoutes, type LogView } from "./api_log.ts";
export {
  type ApiEdgeNode,
  type ApiReport,
  type ApiTopology,
  type ApiViolation,
  sparkplugRoutes,
  type SparkplugView,
  type TopologyQuery,
  type ViolationQuery,
} from "./api_sparkplug.ts";
export { type ApiValues, birthRoutes, type BirthView } from "./api_sparkplug_births.ts";
export { type ApiStatistics, statusRoutes, type StatusView } from "./api_status.ts";
export { type ApiPublisher, publishRoutes } from "./api_publish.ts";
export { retainedRoutes, type RetainedView } from "./api_retained.ts";
export {
  type ApiSession,
  type ApiSessionDetails,
  type ApiSubscription,
  sessionRoutes,
  type SessionsView,
} from "./api_sessions.ts";
export { PAYLOAD_BYTES_MAX, payloadOf, PREVIEW_BYTES_MAX, previewOf } from "./api_views.ts";
export type { Caller, HttpPeer } from "./caller.ts";
export { EventHub } from "./event_hub.ts";
export type { ReadinessFacts } from "./health.ts";
export { pathOf, type Route, Router } from "./http.ts";
export { HttpServer } from "./http_server.ts";
export type { MetricSources } from "./metrics_page.ts";
export { decodeCursor, encodeCursor, type Page, pageOfList } from "./paging.ts";
export { RecentQuantiles } from "./quantiles.ts";
export { RateMeter } from "./rate_meter.ts";
export type { AnyDefinition, ApiRoute } from "./route.ts";
export type { JsonSchema } from "./schema.ts";
export type { SparkplugFigures } from "./sparkplug_metrics.ts";
export type { ListenerFigures, MemoryFigures, ReloadFigures } from "./server_metrics.ts";
