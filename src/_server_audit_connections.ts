/** What becomes of connections, as entries of the audit log. */
import { type AuditTrail, hostOf, sampleKey } from "./_server_audit.ts";
import type {
  BrokerEvent,
  ClientFacts,
  CloseCause,
  Connection,
  ConnectRefusal,
  Denial,
} from "./broker/mod.ts";
import { ConnackCode } from "./mqtt/mod.ts";
import {
  type AcceptedCertificate,
  type ClientIdentity,
  formatIpAddress,
  type Refusal,
} from "./security/mod.ts";

/** How a connection was secured; nulls where it was not. */
export interface ConnectionSecurity {
  readonly tls: {
    readonly version: string;
    readonly cipher: string;
    readonly resumed: boolean;
  } | null;
  readonly certificate: AcceptedCertificate | null;
}

/** What a rule of Sparkplug did not let pass. */
export interface SparkplugRefusal {
  readonly action: "connect" | "publish" | "close";
  readonly topic: string;
  /** Their identifiers, with blanks between. */
  readonly statements: string;
  readonly count: number;
}

interface RefusedConnection {
  readonly reason: string;
  readonly address: string;
  readonly listener: string;
  readonly client?: string | undefined;
  /** The user name that was claimed. */
  readonly user?: string | null | undefined;
  readonly problem?: string | undefined;
}

const REASONS: Readonly<Record<ConnackCode, string>> = {
  [ConnackCode.accepted]: "accepted",
  [ConnackCode.unacceptableProtocolLevel]: "protocol-level",
  [ConnackCode.identifierRejected]: "identifier-rejected",
  [ConnackCode.serverUnavailable]: "server-unavailable",
  [ConnackCode.badUserNameOrPassword]: "bad-credentials",
  [ConnackCode.notAuthorized]: "connect-not-allowed",
};

/** Why somebody is refused who has given a password. */
const LOGIN_REASONS: ReadonlySet<string> = new Set(["bad-credentials", "unpinned"]);

/** Listens to the core. */
export class ConnectionAudit {
  readonly #trail: AuditTrail;
  readonly #identityOf: (connection: ClientFacts) => ClientIdentity | null;
  readonly #security = new WeakMap<Connection, ConnectionSecurity>();
  /** What the connection did that is about to be closed for it. */
  #error: { readonly connection: Connection; readonly tag: string } | null = null;

  constructor(
    trail: AuditTrail,
    identityOf: (connection: ClientFacts) => ClientIdentity | null,
  ) {
    this.#trail = trail;
    this.#identityOf = identityOf;
  }

  /** A connection came through the door. */
  arrived(connection: Connection, security: ConnectionSecurity): void {
    if (security.tls !== null) this.#security.set(connection, security);
  }

  /** How a connection was secured; null where it was not. */
  securityOf(connection: Connection): ConnectionSecurity | null {
    return this.#security.get(connection) ?? null;
  }

  /** Something happened in the core. */
  happened(event: BrokerEvent): void {
    const { connection } = event;
    if (event.kind === "connected") this.#connected(connection, event.resumed);
    else if (event.kind === "takenOver") this.#takenOver(connection, event.from);
    else if (event.kind === "protocolError") this.#error = { connection, tag: event.error.tag };
    else if (event.kind === "closed") this.#closed(connection, event);
  }

  /** Connections came or went, and there is nothing more to be said of it. */
  missed(events: number): void {
    this.#trail.leftOut("connections", events);
  }

  /** The policy denied something. */
  denied({ kept, others }: { kept: readonly Denial[]; others: number }): void {
    for (const { connection, action, topic, serverOwned, count } of kept) {
      const { origin, clientIdentifier: client } = connection;
      this.#trail.sample("denials", this.#key(action, connection), {
        event: "acl-denied",
        client,
        user: this.#userOf(connection),
        address: origin.remoteAddress,
        action,
        topic,
        rule: serverOwned ? "server-topic" : "access-rules",
        count,
      });
    }
    this.#trail.leftOut("denials", others);
  }

  /** A rule of Sparkplug does not let something pass. */
  refusedBySparkplug(
    connection: ClientFacts,
    what: SparkplugRefusal,
  ): void {
    const { clientIdentifier: client, origin: { remoteAddress: address } } = connection;
    const user = this.#userOf(connection);
    const key = sampleKey(`sparkplug ${what.action}`, address, client);
    const entry = { event: "sparkplug-refused", client, user, address, ...what } as const;
    this.#trail.sample("denials", key, entry);
  }

  /** Refusals for which there was no room. */
  leftOut(count: number): void {
    this.#trail.leftOut("denials", count);
  }

  /** Somebody was turned away before the core saw a CONNECT, or for a wrong password. */
  turnedAway({ address: ip, reason, listener, forMs, clientIdentifier, detail }: Refusal): void {
    const address = formatIpAddress(ip);
    if (clientIdentifier === undefined) {
      this.#refused(address, { reason, address, listener, problem: detail });
      return;
    }
    // The core tells of every CONNECT, and why it was refused; but not of the lock-outs that begin.
    if (reason !== "bad-credentials" || forMs === undefined) return;
    const seconds = Math.ceil(forMs / 1000);
    this.#trail.sample("lock-outs", address, { event: "lock-out", address, listener, seconds });
  }

  /** A client that was let in may not stay. */
  revoked(connection: Connection, reason: string): void {
    this.#trail.record({ event: "revoked", ...this.#who(connection), reason });
  }

  #connected(connection: Connection, resumed: boolean): void {
    const who = this.#who(connection);
    const { tls = null, certificate = null } = this.#security.get(connection) ?? {};
    const { userName } = connection;
    this.#trail.sample("connections", this.#key("connect", connection), {
      event: "connected",
      ...who,
      claimed: userName === who.user ? undefined : userName ?? undefined,
      tls: tls?.version,
      cipher: tls?.cipher,
      tls_resumed: tls?.resumed,
      certificate: certificate?.fingerprint,
      serial: certificate?.serial,
      resumed,
    });
  }

  #takenOver(connection: Connection, { origin: { remoteAddress: from } }: Connection): void {
    this.#trail.sample("connections", this.#key("take-over", connection), {
      event: "take-over",
      client: connection.clientIdentifier,
      user: this.#userOf(connection),
      from,
      to: connection.origin.remoteAddress,
    });
  }

  #closed(
    connection: Connection,
    { cause, refusal }: { cause: CloseCause; refusal: ConnectRefusal | null },
  ): void {
    const problem = this.#error?.connection === connection ? this.#error.tag : undefined;
    this.#error = null;
    if (connection.session !== null) {
      const entry = { event: "closed", ...this.#who(connection), cause: kebab(cause) } as const;
      const key = this.#key("close", connection);
      this.#trail.sample("connections", key, problem === undefined ? entry : { ...entry, problem });
      return;
    }
    // Whoever goes without a word has done nothing.
    if (cause === "peerClosed" || cause === "shutdown" || cause === "disconnect") return;
    const { origin: { remoteAddress: address, listener }, clientIdentifier, userName } = connection;
    this.#refused(hostOf(address), {
      reason: refusal === null ? kebab(cause) : reasonOf(refusal, userName),
      address,
      listener,
      client: clientIdentifier === "" ? undefined : clientIdentifier,
      user: userName ?? undefined,
      ...problem === undefined ? {} : { problem },
    });
  }

  /** `host`: the address without its port. */
  #refused(host: string, refusal: RefusedConnection): void {
    // A flood of what costs nothing must not hide that somebody guesses passwords.
    const kind = LOGIN_REASONS.has(refusal.reason) ? "logins" : "refusals";
    this.#trail.sample(kind, `${refusal.reason} ${host}`, { event: "refused", ...refusal });
  }

  #who(connection: Connection) {
    const { clientIdentifier: client, origin } = connection;
    const { remoteAddress: address, listener } = origin;
    return { client, user: this.#userOf(connection), address, listener };
  }

  /** The verified one; null for those who did not have to say who they are. */
  #userOf(connection: ClientFacts): string | null {
    return this.#identityOf(connection)?.userName ?? null;
  }

  #key(how: string, { origin, clientIdentifier }: Connection): string {
    return sampleKey(how, origin.remoteAddress, clientIdentifier);
  }
}

function reasonOf({ returnCode, reason }: ConnectRefusal, userName: string | null): string {
  if (reason !== null) return reason;
  if (returnCode === ConnackCode.notAuthorized) {
    return userName === null ? "no-credentials" : "connect-not-allowed";
  }
  return REASONS[returnCode];
}

/** A name of the core as the audit log writes it: "keepAlive" is "keep-alive". */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
