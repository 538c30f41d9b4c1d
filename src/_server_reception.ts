/** The connections of a broker: how they come in, who they are found to be, and how they go. */
import type { ConnectionAudit } from "./_server_audit_connections.ts";
import type { Accepted } from "./_server_entrance.ts";
import { connectionFields } from "./_server_log.ts";
import { iterate } from "./_server_parts.ts";
import type { Listeners } from "./_server_listeners.ts";
import type { TurnHands, Turns } from "./_server_turns.ts";
import type {
  CloseCause,
  Connection,
  ConnectRefusal,
  PendingAuthentication,
} from "./broker/mod.ts";
import { ConnackCode } from "./mqtt/mod.ts";
import {
  BAD_PASSWORD,
  type FrontDoor,
  type Gatekeeper,
  quote,
  type RefusalReason,
  type Revocation,
  Visitor,
} from "./security/mod.ts";
import { type ByteStream, ConnectionDriver } from "./transport/mod.ts";

/** Why a client may not stay, for the audit log. */
const REVOCATIONS: Readonly<Record<Revocation, string>> = {
  revoked: "its user is not known any more",
  passwordChanged: "its password was changed",
  unpinned: "the certificate that is pinned for it was not shown",
};
/** How long connections may take to end at shutdown. */
const SHUTDOWN_MS = 2_000;
/** Connections that are ended in one turn: it keeps no more events than some thousands. */
const CLOSES_PER_TURN = 1_000;
/** How often it looks whether clients have taken what is theirs. */
const DRAIN_LOOK_MS = 10;

/** Lets connections in and keeps their drivers. */
export class Reception implements TurnHands {
  readonly #turns: Turns;
  readonly #gatekeeper: Gatekeeper;
  readonly #door: FrontDoor;
  readonly #audit: ConnectionAudit;
  readonly #drivers = new Map<number, ConnectionDriver>();
  /** Connections whose clients have shown a certificate. */
  readonly #certified = new Map<ByteStream, Connection>();
  #nextHandle = 1;
  #closes = 0;
  #allEnded: (() => void) | null = null;

  constructor(
    turns: Turns,
    parts: { gatekeeper: Gatekeeper; door: FrontDoor; audit: ConnectionAudit },
  ) {
    this.#turns = turns;
    this.#gatekeeper = parts.gatekeeper;
    this.#door = parts.door;
    this.#audit = parts.audit;
  }

  /** A connection came through the door: the core speaks MQTT with it from now on. */
  accepted({ stream, visitor, certificate, tls }: Accepted): void {
    const handle = this.#nextHandle++;
    visitor.userName = certificate?.identity ?? null;
    const driver = ConnectionDriver.open(stream, this.#turns, { handle, origin: visitor });
    if (driver === null) {
      const { nowMs } = this.#turns.instant();
      const short = this.#turns.broker.refusesConnections;
      this.#door.refused(visitor, { reason: short ? "memory" : "connections-max", nowMs });
      stream.close();
      return;
    }
    this.#audit.arrived(driver.connection, { tls, certificate });
    if (certificate !== null) {
      const { identity, serial } = certificate;
      const who = `identity=${JSON.stringify(identity)} serial=${serial}`;
      const line = `certificate accepted: address=${visitor.remoteAddress} ${who}`;
      const fields = connectionFields(driver.connection);
      this.#turns.log.line("info", line, { room: "security", fields });
      this.#gatekeeper.certified(driver.connection, certificate);
      this.#certified.set(tls!.stream, driver.connection);
    }
    this.#drivers.set(handle, driver);
    void driver.run().then(() => {
      if (tls !== null) this.#certified.delete(tls.stream);
      this.#ended(handle);
    });
  }

  driver(connection: Connection): ConnectionDriver | undefined {
    return this.#drivers.get(connection.handle);
  }

  refused(connection: Connection, refusal: ConnectRefusal): void {
    const { origin, clientIdentifier, userName } = connection;
    const reason = refusalReason(refusal);
    if (reason === null || !(origin instanceof Visitor)) return;
    const { nowMs } = this.#turns.instant();
    this.#door.refused(origin, { reason, clientIdentifier, userName, nowMs });
  }

  authenticate(pending: PendingAuthentication): void {
    void this.#authenticate(pending);
  }

  /** Passwords or pins may be others now: whoever would not be let in with what he has must go. */
  revoke(): void {
    for (const connection of [...this.#turns.broker.connections()]) {
      const revocation = this.#gatekeeper.revocationOf(connection);
      if (revocation === null) continue;
      this.#audit.revoked(connection, REVOCATIONS[revocation]);
      this.#close(connection, revocation);
    }
  }

  /** Ends the connections of those who are banned now; gives how many. */
  expel(isBanned: (connection: Connection) => boolean): number {
    const banned = [...this.#turns.broker.connections()].filter((connection) =>
      !connection.closed && isBanned(connection)
    );
    for (const connection of banned) {
      if (connection.session !== null) this.#audit.revoked(connection, "banned");
      this.#close(connection, "banned");
    }
    return banned.length;
  }

  /** Judges the certificates of all connections again. */
  async recheckCertificates(listeners: Listeners): Promise<void> {
    await listeners.recheck((stream, reason) => {
      const connection = this.#certified.get(stream);
      if (connection === undefined) return;
      const fields = connectionFields(connection);
      const who = `client=${quote(fields.client)} address=${fields.address}`;
      const line = `TLS: ${who} may not stay: ${reason}`;
      this.#turns.log.line("warn", line, { room: "security", fields });
      this.#audit.revoked(connection, reason);
      this.#close(connection, "certificateRevoked");
    });
  }

  /**
   * Takes no more messages and waits until clients have taken what is on its way to them. Gives
   * how many have not, in that time. Their DISCONNECTs count meanwhile, so that no Will is published
   * of a client that has said goodbye.
   */
  async drain(withinMs: number): Promise<number> {
    const { broker } = this.#turns;
    broker.drain();
    const endMs = performance.now() + withinMs;
    for (;;) {
      await iterate(); // what was sent before is read
      const behind = [...broker.connections()].filter(isBehind).length;
      if (behind === 0 || performance.now() >= endMs) return behind;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
  }

  /** Ends all connections; resolves when none is left, or not in time. */
  async shutDown(): Promise<void> {
    const all = [...this.#turns.broker.connections()];
    // Those with Wills first: the others may still get them.
    for (const connection of all.filter(({ will }) => will !== null)) {
      this.#close(connection, "shutdown");
    }
    for (const connection of all) this.#close(connection, "shutdown");
    if (this.#drivers.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SHUTDOWN_MS);
      this.#allEnded = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #close(connection: Connection, cause: CloseCause): void {
    this.#turns.broker.close(connection, cause, this.#turns.instant());
    if (++this.#closes % CLOSES_PER_TURN === 0) this.#turns.end();
    else this.#turns.requestTurn();
  }

  #ended(handle: number): void {
    this.#drivers.delete(handle);
    if (this.#drivers.size === 0) this.#allEnded?.();
  }

  async #authenticate(pending: PendingAuthentication): Promise<void> {
    const { connection, packet } = pending;
    const { origin } = connection;
    const address = origin instanceof Visitor ? origin.address : null;
    const refusal = await this.#gatekeeper.verify(connection, packet, address);
    const instant = this.#turns.instant();
    const code = refusal?.returnCode ?? null;
    this.#tellDoor(connection, { code, userName: packet.userName, nowMs: instant.nowMs });
    this.#turns.broker.authenticated(pending, refusal, instant);
    this.#turns.requestTurn();
  }

  /** The door counts how logins go. */
  #tellDoor(
    { origin, clientIdentifier }: Connection,
    login: { code: number | null; userName: string | null; nowMs: number },
  ): void {
    // All connections of ours come from visitors; the core knows only what it logs of them.
    if (!(origin instanceof Visitor)) return;
    const { code, userName, nowMs } = login;
    if (code === null) this.#door.succeeded(origin, nowMs);
    else if (code === BAD_PASSWORD) {
      this.#door.failed(origin, { clientIdentifier, userName, nowMs });
    }
  }
}

/** As the door counts a refusal of the core; null for what it knows already, and what is no one's fault. */
function refusalReason({ returnCode, reason }: ConnectRefusal): RefusalReason | null {
  if (returnCode === BAD_PASSWORD) return null; // from `#tellDoor`
  switch (reason) {
    case "foreignSession":
    case "foreignIdentifier":
    case "unpinned":
      return "identity-mismatch";
    case "sparkplug":
    case "banned":
      return "connect-not-allowed";
    case "memory":
    case "sessions-max":
    case "take-over-storm":
      return reason;
    case null:
      return returnCode === ConnackCode.notAuthorized ? "no-credentials" : null;
  }
}

/** Whether there is something that the client has not been sent. */
function isBehind({ outbox, writingBytes, gated }: Connection): boolean {
  return outbox.length > 0 || writingBytes > 0 || gated !== null;
}
