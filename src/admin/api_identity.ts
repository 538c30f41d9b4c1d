/** Who asks: so that a page can tell beforehand what it may do. */
import { ROLES } from "../security/mod.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import { object, oneOf, text } from "./schema.ts";

const WHOAMI = defineRoute({
  method: "GET",
  path: "/api/v1/whoami",
  role: "read",
  tag: "api",
  summary: "Who you are, and what you may do",
  answer: object({
    name: text({ description: "As the tokens file calls you." }),
    role: oneOf(ROLES),
  }),
});

/** The definitions. */
export const IDENTITY_DEFINITIONS = [WHOAMI] as const;

/** The routes. */
export function identityRoutes(): readonly ApiRoute[] {
  return [serve(WHOAMI, ({ caller: { name, role } }) => ({ name, role }))];
}
