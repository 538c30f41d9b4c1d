/** Who asks, and over what. */
import type { Role } from "../security/mod.ts";

/** The other end of a connection to the admin listener. */
export interface HttpPeer {
  /** "host:port", an IPv6 host in brackets. */
  readonly address: string;
  /** Whether TLS is spoken. */
  readonly isSecure: boolean;
  /** The identity of the client certificate that was accepted; null without one. */
  readonly certificate: string | null;
}

/** Somebody who was let in. */
export interface Caller {
  /** As the tokens file calls him; a Common Name for who came with a certificate. */
  readonly name: string;
  readonly role: Role;
  readonly by: "token" | "certificate" | "nothing";
  /** "host:port". */
  readonly address: string;
}
