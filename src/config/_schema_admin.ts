/** The table about whoever operates the broker. */
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const ADMIN_TABLE = {
  name: "admin",
  repeated: false,
  doc:
    "HTTP for whoever operates the broker: /metrics for Prometheus, /healthz (it lives) and /readyz (it accepts clients, and its store can write).",
  keys: [
    {
      name: "address",
      type: "string",
      form: "listen address or nothing",
      default: "",
      doc:
        'Address and TCP port to listen on, such as "127.0.0.1:9883". Empty means that nothing listens. Port 0 lets the system choose a free port. HTTP is not encrypted: for other machines put a proxy with TLS in front.',
    },
    {
      name: "metrics_token_sha256",
      type: "string",
      form: "sha256 or nothing",
      default: "",
      doc:
        'SHA-256 of the bearer token that /metrics asks for, in 64 hexadecimal digits (printf %s "$TOKEN" | sha256sum); the token should have at least 128 random bits. Empty asks for none, which an address that other machines can reach does not allow.',
    },
    {
      name: "hosts",
      type: "string",
      form: "text",
      default: "",
      doc:
        "Host names by which clients call the listener, with blanks between. IP addresses and localhost always do; whatever else stands in a request's Host is refused, so that no web page can reach the listener through a name of its own.",
    },
  ],
} as const satisfies TableSchema;
