/** What the admin listener serves. */
import { BearerToken } from "./bearer_token.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import { healthRoutes, type ReadinessFacts } from "./health.ts";
import type { Route } from "./http.ts";
import { type MetricSources, metricsPage } from "./metrics_page.ts";

/** What the routes need. */
export interface AdminParts {
  readonly metrics: () => MetricSources;
  readonly readiness: () => ReadinessFacts;
  /** SHA-256 of the token for `/metrics` in hexadecimal digits; empty where none is needed. */
  readonly metricsTokenSha256: string;
}

/** All routes. */
export function adminRoutes(
  { metrics, readiness, metricsTokenSha256 }: AdminParts,
): readonly Route[] {
  const token = metricsTokenSha256 === "" ? null : new BearerToken(metricsTokenSha256);
  const page = (): Response =>
    new Response(metricsPage(metrics()), { headers: { "content-type": EXPOSITION_TYPE } });
  return [
    ...healthRoutes(readiness),
    { method: "GET", path: "/metrics", handle: (request) => token?.refusal(request) ?? page() },
  ];
}
