/** What the admin API shows of clients and sessions, and does with them. */
import type { ConnectionAudit } from "./_server_audit_connections.ts";
import { connectionFields } from "./_server_log.ts";
import {
  compareText,
  firstOf,
  type Order,
  readPlace,
  select,
  writePlace,
} from "./_server_selection.ts";
import type { Turns } from "./_server_turns.ts";
import {
  type ApiClient,
  type ApiClientDetails,
  type ApiSession,
  type ApiSessionDetails,
  type ApiSubscription,
  type ClientsView,
  type SessionsView,
  SUBSCRIPTIONS_SHOWN,
} from "./admin/mod.ts";
import type { Connection, Session } from "./broker/mod.ts";
import { asTopicName, topicMatches, type TopicName } from "./mqtt/mod.ts";
import { type ClientIdentity, quote, Visitor } from "./security/mod.ts";

/** What the views look at. */
export interface ClientGround {
  readonly turns: Turns;
  readonly audit: ConnectionAudit;
  readonly identityOf: (connection: Connection) => ClientIdentity | null;
  /** How long a session outlives its connection, in ms; 0 for ever. */
  readonly sessionExpiryMs: number;
}

/** A session whose client is there. */
type ConnectedSession = Session & { readonly connection: Connection };

const BY_CLIENT: Order<Session> = {
  compare: (a, b) => compareText(a.clientIdentifier, b.clientIdentifier),
  compareToName: (session, name) => compareText(session.clientIdentifier, name),
  nameOf: (session) => session.clientIdentifier,
};

/** Shows clients, and disconnects them. */
export function clientsView(ground: ClientGround): ClientsView {
  const { turns } = ground;
  const { broker } = turns;
  return {
    async list({ limit, cursor, ...filters }) {
      const { search, user, from, listener } = filters;
      const needle = search?.toLowerCase();
      const page = await select(broker.oversight.sessions(), {
        order: BY_CLIENT,
        limit,
        cursor,
        pause: () => turns.nextIteration(),
        isWanted: (session) => {
          if (!isConnected(session)) return false;
          const { origin, userName } = session.connection;
          return (user === undefined || userName === user) &&
            (listener === undefined || origin.listener === listener) &&
            (from === undefined || hasAddress(session.connection, from)) &&
            (needle === undefined || contains(session.clientIdentifier, needle) ||
              contains(userName, needle));
        },
      });
      if (page === null) return null;
      const isAll = Object.values(filters).every((filter) => filter === undefined);
      return {
        // Some may have gone while others were looked for.
        items: page.items.filter(isConnected).map((session) => clientOf(session, ground)),
        next: page.next,
        total: isAll ? broker.statistics.clientsConnected : null,
      };
    },
    get(clientIdentifier) {
      const session = broker.oversight.session(clientIdentifier);
      return session !== undefined && isConnected(session) ? detailsOf(session, ground) : null;
    },
    async disconnect(clientIdentifier, { will, reason, caller }) {
      const connection = broker.oversight.session(clientIdentifier)?.connection ?? null;
      if (connection === null) return "none";
      const { committed } = turns.change((oversight, instant) =>
        oversight.disconnect(connection, { cause: "operator", will, instant })
      );
      const why = reason === "" ? "" : ` reason=${quote(reason)}`;
      const text = `disconnected by ${quote(caller.name)}: client=${quote(clientIdentifier)}${why}`;
      turns.log.line("info", text, { room: "admin", fields: connectionFields(connection) });
      return await committed ? "done" : "unwritten";
    },
  };
}

/** Shows sessions and subscriptions, and discards sessions. */
export function sessionsView(ground: ClientGround): SessionsView {
  const { turns } = ground;
  const { broker } = turns;
  return {
    async list({ limit, cursor, search, connected }) {
      const needle = search?.toLowerCase();
      const page = await select(broker.oversight.sessions(), {
        order: BY_CLIENT,
        limit,
        cursor,
        pause: () => turns.nextIteration(),
        isWanted: (session) =>
          (connected === undefined || isConnected(session) === connected) &&
          (needle === undefined || contains(session.clientIdentifier, needle) ||
            contains(session.owner, needle)),
      });
      if (page === null) return null;
      const isAll = search === undefined && connected === undefined;
      return {
        items: page.items.filter((session) => isThere(session, ground))
          .map((session) => sessionOf(session, ground)),
        next: page.next,
        total: isAll ? broker.statistics.sessions : null,
      };
    },
    get(clientIdentifier): ApiSessionDetails | null {
      const session = broker.oversight.session(clientIdentifier);
      if (session === undefined) return null;
      return { ...sessionOf(session, ground), filters: filtersOf(session) };
    },
    async remove(clientIdentifier, caller) {
      const session = broker.oversight.session(clientIdentifier);
      if (session === undefined) return "none";
      const { committed } = turns.change((oversight, instant) =>
        oversight.removeSession(session, instant)
      );
      const text = `session removed by ${quote(caller.name)}: client=${quote(clientIdentifier)}`;
      turns.log.line("info", text, { room: "admin" });
      return await committed ? "done" : "unwritten";
    },
    subscriptions({ topic, ...query }) {
      if (topic === undefined) return subscriptionsOf(ground, { ...query, topic: null });
      const name = asTopicName(topic);
      return typeof name === "object"
        ? `topic: ${name.reason}`
        : subscriptionsOf(ground, { ...query, topic: name });
    },
  };
}

/** First the sessions that can be on the page, then their subscriptions one by one. */
async function subscriptionsOf(
  ground: ClientGround,
  { limit, cursor, client_id: client, filter, topic }: {
    limit: number;
    cursor: string | undefined;
    client_id: string | undefined;
    filter: string | undefined;
    topic: TopicName | null;
  },
) {
  const { turns } = ground;
  const { oversight, statistics } = turns.broker;
  const place = readPlace(cursor);
  if (place === "none") return null;
  const count = limit + (place?.skip ?? 0) + 1;
  const behind = place?.name ?? "";
  const one = client === undefined ? undefined : oversight.session(client);
  const walk = client !== undefined
    ? one === undefined ? [] : [one]
    : topic === null
    ? oversight.sessions()
    : oversight.subscribers(topic);
  const fits = (written: string): boolean =>
    (filter === undefined || written === filter) &&
    (topic === null || topicMatches(written as Parameters<typeof topicMatches>[0], topic));
  const sessions = await firstOf(walk, {
    order: BY_CLIENT,
    place: place === null ? null : { name: behind.split("\0")[0]!, skip: 1 },
    count: count + 1, // one may have had its last subscription on the page before
    isWanted: (session) => namesOf(session, behind).some(fits),
    pause: () => turns.nextIteration(),
  });
  const found: ApiSubscription[] = [];
  for (const session of sessions) {
    if (found.length >= count) break;
    const { clientIdentifier: client_id, subscriptions } = session;
    for (const written of namesOf(session, behind).filter(fits).sort(compareText)) {
      // With a name that is whole, the last one of the page before is left out.
      if (place?.skip === 0 && `${client_id}\0${written}` === behind) continue;
      const qos = subscriptions.get(written as TopicFilterOf)!;
      found.push({ client_id, filter: written, qos, connected: isConnected(session) });
    }
  }
  const skip = place?.skip ?? 0;
  const names = found.slice(0, skip + limit).map((s) => `${s.client_id}\0${s.filter}`);
  const isAll = client === undefined && filter === undefined && topic === null;
  return {
    items: found.slice(skip, skip + limit),
    next: found.length > skip + limit ? writePlace(names) : null,
    total: isAll ? statistics.subscriptions : null,
  };
}

type TopicFilterOf = Parameters<Session["subscriptions"]["get"]>[0];

/** The filters of a session from a place on that names a client and a filter. */
function namesOf({ clientIdentifier, subscriptions }: Session, behind: string): readonly string[] {
  const filters = [...subscriptions.keys()];
  return behind === ""
    ? filters
    : filters.filter((filter) => compareText(`${clientIdentifier}\0${filter}`, behind) >= 0);
}

function isConnected(session: Session): session is ConnectedSession {
  return session.connection !== null;
}

/** Whether a session has not been discarded meanwhile. */
function isThere(session: Session, { turns }: ClientGround): boolean {
  return turns.broker.oversight.session(session.clientIdentifier) === session;
}

function contains(text: string | null, needle: string): boolean {
  return text?.toLowerCase().includes(needle) === true;
}

function hasAddress({ origin }: Connection, address: string): boolean {
  const { remoteAddress } = origin;
  const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
  return host === address || host === `[${address}]`;
}

function clientOf(session: ConnectedSession, ground: ClientGround): ApiClient {
  const { connection, subscriptions, queue, inFlight, persistent } = session;
  const { origin, userName } = connection;
  return {
    client_id: session.clientIdentifier,
    user: userName,
    user_verified: userName !== null && ground.identityOf(connection)?.userName === userName,
    address: origin.remoteAddress,
    listener: origin.listener,
    transport: origin instanceof Visitor ? origin.transport : "tcp",
    tls_version: ground.audit.securityOf(connection)?.tls?.version ?? null,
    clean_session: !persistent,
    keep_alive_s: connection.keepAliveLimitMs / 1500, // the limit is one and a half times that
    connected_at: new Date(connection.connectedAtMs).toISOString(),
    subscriptions: subscriptions.size,
    queued_messages: queue.length,
    queued_bytes: queue.bytes,
    in_flight: inFlight.size,
    unsent_bytes: connection.pendingBytes,
    messages_in: connection.publishReceived,
    bytes_in: connection.bytesReceived,
    bytes_out: connection.bytesSent,
  };
}

function detailsOf(session: ConnectedSession, ground: ClientGround): ApiClientDetails {
  const { will } = session.connection;
  const { tls = null, certificate = null } = ground.audit.securityOf(session.connection) ?? {};
  return {
    ...clientOf(session, ground),
    will: will === null ? null : {
      topic: will.topic,
      qos: will.qos,
      retain: will.retain,
      payload_bytes: will.payload.length,
    },
    filters: filtersOf(session),
    tls: tls === null ? null : { version: tls.version, cipher: tls.cipher, resumed: tls.resumed },
    certificate: certificate === null ? null : {
      subject: certificate.subject,
      issuer: certificate.issuer,
      serial: certificate.serial,
      fingerprint: certificate.fingerprint,
      not_after: new Date(certificate.notAfterMs).toISOString(),
    },
  };
}

function filtersOf({ subscriptions }: Session): ApiSessionDetails["filters"] {
  return subscriptions.entries().take(SUBSCRIPTIONS_SHOWN)
    .map(([filter, qos]) => ({ filter, qos })).toArray();
}

function sessionOf(session: Session, { turns, sessionExpiryMs }: ClientGround): ApiSession {
  const awayMs = turns.broker.oversight.awaySinceMs(session, turns.instant());
  const expires = awayMs !== null && sessionExpiryMs > 0;
  return {
    client_id: session.clientIdentifier,
    owner: session.owner === "" ? null : session.owner,
    connected: isConnected(session),
    clean_session: !session.persistent,
    away_since: awayMs === null ? null : new Date(awayMs).toISOString(),
    expires_at: expires ? new Date(awayMs + sessionExpiryMs).toISOString() : null,
    subscriptions: session.subscriptions.size,
    queued_messages: session.queue.length,
    queued_bytes: session.queue.bytes,
    in_flight: session.inFlight.size,
    awaiting_release: session.receiving?.size ?? 0,
  };
}
