/** The table about whoever operates the broker. */
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const ADMIN_TABLE = {
  name: "admin",
  repeated: false,
  doc:
    "HTTP for whoever operates the broker: the admin API under /api/v1, /metrics for Prometheus, /healthz (it lives) and /readyz (it accepts clients, and its store can write).",
  keys: [
    {
      name: "address",
      type: "string",
      form: "listen address or nothing",
      default: "",
      doc:
        'Address and TCP port to listen on, such as "127.0.0.1:9883". Empty means that nothing listens. Port 0 lets the system choose a free port. Without certificate_file nothing is encrypted.',
    },
    {
      name: "tokens_file",
      type: "string",
      form: "path or nothing",
      default: "",
      doc:
        'Who may use the admin API, and for what: lines "name:role:SHA-256 of a token" and "cert:identity:role" with the roles read, operate and admin; `relayq admin token` makes them. Others must not be able to read it. It is read again at SIGHUP and when it has changed. Empty lets nobody in.',
    },
    {
      name: "requests_per_second",
      type: "integer",
      default: 50,
      min: 0,
      max: 1_000_000,
      doc:
        "Requests of one token or certificate in a second, on the average; four times as many at once. 0 is no limit.",
    },
    {
      name: "certificate_file",
      type: "string",
      form: "path or nothing",
      default: "",
      doc:
        "Certificate of the server and the intermediate ones below its root, PEM. With it the listener speaks TLS 1.3, and nothing else. It is read again at SIGHUP and when it has changed, as are the other files.",
    },
    {
      name: "key_file",
      type: "string",
      form: "path or nothing",
      default: "",
      doc: "Private key of the certificate, PEM, without a passphrase.",
    },
    {
      name: "client_certificates",
      type: "enum",
      values: ["none", "optional", "required"],
      default: "none",
      doc:
        'Whether callers show a certificate: "required" lets nobody connect without a good one, not even to /healthz; "optional" lets those connect who show none. What the Common Name may do stands in tokens_file.',
    },
    {
      name: "ca_file",
      type: "string",
      form: "path or nothing",
      default: "",
      doc: "Certificates of the authorities that may issue client certificates, PEM.",
    },
    {
      name: "crl_file",
      type: "string",
      form: "path or nothing",
      default: "",
      doc:
        "Certificate revocation lists of these authorities, PEM or DER. A list past its nextUpdate counts on, with a warning. Empty means that no certificate counts as revoked.",
    },
    {
      name: "metrics_token_sha256",
      type: "string",
      form: "sha256 or nothing",
      default: "",
      doc:
        'SHA-256 of the bearer token that /metrics asks for, in 64 hexadecimal digits (printf %s "$TOKEN" | sha256sum); the token should have at least 128 random bits. Empty asks for none as long as there are no tokens_file and no client certificates either, which an address that other machines can reach does not allow; every role of tokens_file may read /metrics, too.',
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
