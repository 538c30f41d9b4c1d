/** What people and programs see of the broker over HTTP: metrics and health. */
export { adminRoutes } from "./admin_routes.ts";
export { type Route, Router } from "./http.ts";
export { HttpServer } from "./http_server.ts";
export type { MetricSources } from "./metrics_page.ts";
export type { SparkplugFigures } from "./sparkplug_metrics.ts";
export type { ListenerFigures, MemoryFigures, ReloadFigures } from "./server_metrics.ts";
