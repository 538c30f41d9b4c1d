/** Where the broker listens, and by which certificates. */
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  object,
  oneOf,
  record,
  text,
  type ValueOf,
} from "./schema.ts";

const LISTENER = object({
  address: text({ description: "Where it is bound, with the port that was assigned." }),
  configured: text({ description: "As the configuration has it." }),
  purpose: oneOf(["mqtt", "admin"]),
  transport: oneOf(["tcp", "websocket", "http"]),
  websocket_path: nullable(text()),
  anonymous: nullable(boolean("Whether clients without a user name are let in; null for admin.")),
  connections: integer(),
  tls: nullable(object({
    version_min: oneOf(["1.2", "1.3"]),
    client_certificates: oneOf(["none", "optional", "required"]),
    not_after: nullable(
      dateTime("When the first certificate of its chain expires; null if it cannot be read."),
    ),
    handshaking: integer(),
    established: integer({ description: "Connections since the start." }),
    resumed: integer(),
    refused: record(integer(), "By cause."),
  })),
});
/** One listener. */
export type ApiListener = ValueOf<typeof LISTENER>;

const CERTIFICATE = object({
  kind: oneOf(["server", "authority", "crl"]),
  subject: nullable(text({ description: "Null for a revocation list." })),
  issuer: text(),
  serial: nullable(text()),
  fingerprint: nullable(text({ description: "SHA-256, in hexadecimal digits." })),
  not_before: dateTime(),
  not_after: nullable(dateTime("Of a list: when the next one is due; null if it does not say.")),
  days_left: nullable(integer({ min: -Number.MAX_SAFE_INTEGER })),
  revoked: nullable(integer({ description: "Certificates on a list." })),
  file: text(),
  used_by: list(text(), { description: "Addresses of listeners as they are configured." }),
});
/** A certificate, or a list of those that are revoked. */
export type ApiCertificate = ValueOf<typeof CERTIFICATE>;

const LISTENERS = defineRoute({
  method: "GET",
  path: "/api/v1/listeners",
  role: "read",
  tag: "listeners",
  summary: "Where the broker listens, and how its connections are secured",
  answer: object({ items: list(LISTENER) }),
});

const CERTIFICATES = defineRoute({
  method: "GET",
  path: "/api/v1/certificates",
  role: "read",
  tag: "listeners",
  summary: "Certificates and revocation lists in use, with the days that are left",
  answer: object({ items: list(CERTIFICATE) }),
});

/** The definitions. */
export const LISTENER_DEFINITIONS = [LISTENERS, CERTIFICATES] as const;

/** What the routes show. */
export interface ListenerView {
  readonly listeners: () => readonly ApiListener[];
  readonly certificates: () => readonly ApiCertificate[];
}

/** The routes. */
export function listenerRoutes({ listeners, certificates }: ListenerView): readonly ApiRoute[] {
  return [
    serve(LISTENERS, () => ({ items: listeners() })),
    serve(CERTIFICATES, () => ({ items: certificates() })),
  ];
}
