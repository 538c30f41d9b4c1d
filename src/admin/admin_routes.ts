/** What the admin listener serves. */
import type { AdminAccess, Refused } from "./access.ts";
import { type ApiAudit, routesOfApi } from "./api.ts";
import { API_DEFINITIONS, OPENAPI } from "./api_definitions.ts";
import { identityRoutes } from "./api_identity.ts";
import { BearerToken } from "./bearer_token.ts";
import { dashboardRoutes } from "./dashboard.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import { healthRoutes, type ReadinessFacts } from "./health.ts";
import type { Route, RoutedRequest } from "./http.ts";
import { type MetricSources, metricsPage } from "./metrics_page.ts";
import { openApi } from "./openapi.ts";
import { type AnyDefinition, type ApiRoute, serve } from "./route.ts";

/** What the routes need. */
export interface AdminParts {
  readonly version: string;
  readonly metrics: () => MetricSources;
  readonly readiness: () => ReadinessFacts;
  /** SHA-256 of the token for `/metrics` in hexadecimal digits; empty where there is none. */
  readonly metricsTokenSha256: string;
  readonly access: AdminAccess;
  readonly audited: (entry: ApiAudit) => void;
  /** The routes of the API besides its document. */
  readonly api: readonly ApiRoute[];
}

/** All routes. Throws where the API is not served as its definitions say. */
export function adminRoutes(parts: AdminParts): readonly Route[] {
  const { access, audited, readiness, version } = parts;
  const document = openApi(API_DEFINITIONS, version);
  const api = [...parts.api, ...identityRoutes(), serve(OPENAPI, () => document)];
  const served = new Set(api.map(({ definition }) => definition));
  const defined = new Set<AnyDefinition>(API_DEFINITIONS);
  const astray = [...served.symmetricDifference(defined)];
  if (astray.length > 0) {
    const names = astray.map(({ method, path }) => `${method} ${path}`).join(", ");
    throw new Error(`Cannot serve the API: not both defined and served: ${names}`);
  }
  return [
    ...healthRoutes(readiness),
    ...dashboardRoutes(),
    { method: "GET", path: "/metrics", handle: metricsHandler(parts) },
    ...routesOfApi(api, { access, audited }),
  ];
}

/** Figures are for everybody where nothing lets anybody in; else for the one token, and all roles. */
function metricsHandler(
  { metrics, metricsTokenSha256, access, audited }: AdminParts,
): Route["handle"] {
  const token = metricsTokenSha256 === "" ? null : new BearerToken(metricsTokenSha256);
  function refusalOf({ request, peer }: RoutedRequest): Refused | null {
    const refusal = token?.refusal(request) ?? null;
    if (token !== null && refusal === null) return null;
    if (!access.isGuarded) return refusal === null ? null : { refusal, actor: null };
    const caller = access.admit(request, peer, "read");
    return "refusal" in caller ? caller : null;
  }
  return (routed) => {
    const refused = refusalOf(routed);
    if (refused !== null) {
      // Here, too, somebody may try tokens.
      const { refusal, actor } = refused;
      const { address } = routed.peer;
      const about = { actor, address, action: "GET /metrics", target: "" };
      audited({ ...about, status: refusal.status, refused: true });
      return refusal;
    }
    return new Response(metricsPage(metrics()), { headers: { "content-type": EXPOSITION_TYPE } });
  };
}
