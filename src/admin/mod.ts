/** What people and programs see of the broker over HTTP: metrics, health and the admin API. */
export { AdminAccess } from "./access.ts";
export { adminRoutes } from "./admin_routes.ts";
export type { ApiAudit } from "./api.ts";
export { eventRoutes } from "./api_events.ts";
export { type ApiLogLine, logRoutes } from "./api_log.ts";
export type { Caller, HttpPeer } from "./caller.ts";
export { EventHub } from "./event_hub.ts";
export { type Route, Router } from "./http.ts";
export { HttpServer } from "./http_server.ts";
export type { MetricSources } from "./metrics_page.ts";
export type { ApiRoute } from "./route.ts";
export type { SparkplugFigures } from "./sparkplug_metrics.ts";
export type { ListenerFigures, MemoryFigures, ReloadFigures } from "./server_metrics.ts";
