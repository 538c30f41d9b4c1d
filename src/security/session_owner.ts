/**
 * Whom sessions belong to, and which Client Identifiers are whose. A Client Identifier is a name that
 * the client chooses, and whoever says it takes over the connection, the subscriptions and the queue
 * of its session: a session therefore belongs to the user who made it, and nobody else gets it.
 *
 * A user is a user name, by whatever it was verified: in the rules of the access file `user gw-1` is
 * also who shows a certificate of that name, so a device that changes from password to certificate
 * keeps its session. Sessions of anonymous clients, and those from before this was written down,
 * belong to nobody: the first user who comes for one has it from then on.
 */
import type { ClientIdentity } from "./client_rules.ts";

/** Which Client Identifiers a client may use, and whose sessions. */
export interface IdentifierRules {
  /**
   * `user`: exactly the user name; `user_prefix`: that, or followed by a colon and more, or one that
   * the server assigns. A colon, since no user name of a password file has one: with any other
   * separator the user `press` could use what belongs to the user `press-7`. (Names out of
   * certificates may have one, as URIs do: for those, `user` is the rule.) Anonymous clients have no
   * user name, and so no Client Identifier of their own.
   */
  readonly clientIdentifier: "any" | "user" | "user_prefix";
  /** `any`: whoever comes for a session has it from then on. */
  readonly sessionOwner: "same_user" | "any";
}

/** The part of an identity by which a session is known. */
type Owner = Pick<ClientIdentity, "userName" | "certificate">;

/** As it is stored: `user alice`, `certificate gw-1`, or nothing for nobody. */
export function formatOwner({ userName, certificate }: Owner): string {
  if (certificate !== null) return `certificate ${certificate}`;
  return userName === null ? "" : `user ${userName}`;
}

/** Who that is. */
export function parseOwner(text: string): Owner {
  const name = text.slice(text.indexOf(" ") + 1);
  if (text.startsWith("certificate ")) return { userName: name, certificate: name };
  return { userName: text.startsWith("user ") ? name : null, certificate: null };
}

/** Whether a Client Identifier is one of this client; empty: the server assigns one. */
export function mayUseIdentifier(
  clientIdentifier: string,
  { userName }: Pick<ClientIdentity, "userName">,
  { clientIdentifier: rule }: IdentifierRules,
): boolean {
  if (rule === "any") return true;
  if (clientIdentifier === "") return rule === "user_prefix";
  if (userName === null) return false;
  if (clientIdentifier === userName) return true;
  return rule === "user_prefix" && clientIdentifier.startsWith(`${userName}:`);
}

/** Whether a session that belongs to `owner` may become that of this client. */
export function maySucceed(
  owner: string,
  { userName }: Pick<ClientIdentity, "userName">,
  { sessionOwner }: IdentifierRules,
): boolean {
  if (sessionOwner === "any") return true;
  const holder = parseOwner(owner).userName;
  return holder === null || holder === userName;
}
