/** What people and programs see of the broker over HTTP: metrics, health and the admin API. */
export { AdminAccess } from "./access.ts";
export { adminRoutes } from "./admin_routes.ts";
export type { ApiAudit } from "./api.ts";
export { type ApiClientEvent, eventRoutes } from "./api_events.ts";
export { type ApiLimit, limitRoutes } from "./api_limits.ts";
export { type ApiCertificate, type ApiListener, listenerRoutes } from "./api_listeners.ts";
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
export type { Caller, HttpPeer } from "./caller.ts";
export { EventHub } from "./event_hub.ts";
export type { ReadinessFacts } from "./health.ts";
export { type Route, Router } from "./http.ts";
export { HttpServer } from "./http_server.ts";
export type { MetricSources } from "./metrics_page.ts";
export { decodeCursor, encodeCursor, type Page, pageOfList } from "./paging.ts";
export { RecentQuantiles } from "./quantiles.ts";
export { RateMeter } from "./rate_meter.ts";
export type { ApiRoute } from "./route.ts";
export type { SparkplugFigures } from "./sparkplug_metrics.ts";
export type { ListenerFigures, MemoryFigures, ReloadFigures } from "./server_metrics.ts";
