/** The keys of a listener that are about TLS. */
import type { KeySchema } from "./_schema_types.ts";

/** A part of the table `listeners`. */
export const TLS_KEYS = [
  {
    name: "certificate_file",
    type: "string",
    form: "path or nothing",
    default: "",
    doc:
      "Certificate of the server and the intermediate ones below its root, PEM. With it the listener speaks TLS, and nothing else. It is read again at SIGHUP and when it has changed, as are the other files of the listener.",
  },
  {
    name: "key_file",
    type: "string",
    form: "path or nothing",
    default: "",
    doc: "Private key of the certificate, PEM, without a passphrase.",
  },
  {
    name: "tls_version_min",
    type: "enum",
    values: ["1.2", "1.3"],
    default: "1.3",
    doc: "The lowest version of TLS. There are none below 1.2.",
  },
  {
    name: "client_certificates",
    type: "enum",
    values: ["none", "optional", "required"],
    default: "none",
    doc:
      'Whether clients show a certificate: "required" lets nobody in without a good one; "optional" lets those in who show none, as if by plain TLS, and refuses those who show a bad one. Whoever has shown a good one is not asked for a password.',
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
      "Certificate revocation lists of these authorities, PEM or DER, several in a PEM file. Empty means that no certificate counts as revoked.",
  },
  {
    name: "crl_expired",
    type: "enum",
    values: ["warn", "refuse"],
    default: "warn",
    doc:
      "What a list past its nextUpdate means for the certificates of its issuer: they are judged by it with a warning, so that an unattended fleet is not locked out, or refused.",
  },
  {
    name: "crl_missing",
    type: "enum",
    values: ["warn", "refuse"],
    default: "warn",
    doc: "What it means that there are lists, but none of a certificate's issuer.",
  },
  {
    name: "certificate_clock",
    type: "enum",
    values: ["strict", "grace"],
    default: "strict",
    doc:
      '"grace": while the clock of this machine stands before 2025, which means that it was never set, a client certificate that is "not yet valid" is accepted with a warning.',
  },
  {
    name: "certificate_pins",
    type: "string",
    form: "text",
    default: "",
    doc:
      'Client certificates that are accepted, with blanks between: "sha256/" and the SHA-256 of a certificate or of its public key, in hexadecimal digits or base64. Empty means all that the authorities vouch for.',
  },
  {
    name: "identity_from",
    type: "enum",
    values: ["cn", "san_dns", "san_uri", "san_email", "fingerprint"],
    default: "cn",
    doc:
      "What of a client certificate is the user name: see %u and certificate in the access file.",
  },
  {
    name: "handshake_timeout_ms",
    type: "integer",
    default: 10_000,
    min: 10,
    max: 600_000,
    doc: "A TLS handshake that is not done within this time is ended.",
  },
  {
    name: "handshakes_max",
    type: "integer",
    default: 256,
    min: 1,
    max: 100_000,
    doc: "Most TLS handshakes at one time; each may hold 128 KiB.",
  },
] as const satisfies readonly KeySchema[];
