/** Events as one line of text for the log. */
import { ConnackCode } from "../mqtt/mod.ts";
import type { BrokerEvent, CloseCause, ConnectRefusal } from "./events.ts";
import type { Connection } from "./connection.ts";
import type { SessionRefusal } from "./policy.ts";

/** How much an event matters to an operator. */
export type Severity = "debug" | "info" | "warn";

const CAUSES: Readonly<Record<CloseCause, string>> = {
  disconnect: "client disconnected",
  peerClosed: "connection lost",
  protocolError: "protocol error",
  refused: "refused",
  takenOver: "Client Identifier taken over by another connection",
  keepAlive: "keep alive exceeded",
  connectTimeout: "no CONNECT in time",
  stalledWrite: "client takes no bytes",
  revoked: "user is not known any more",
  rateLimit: "sends more than its rate",
  passwordChanged: "password was changed",
  certificateRevoked: "certificate does not hold any more",
  unpinned: "another certificate is pinned now",
  operator: "disconnected by an operator",
  banned: "banned",
  shutdown: "server shuts down",
};

const SESSION_REFUSALS: Readonly<Record<SessionRefusal, string>> = {
  foreignSession: "the session of this Client Identifier belongs to",
  foreignIdentifier: "it is not a Client Identifier of this user",
  unpinned: "the certificate that is pinned for it was not shown",
};

const CODES: Readonly<Record<ConnackCode, string>> = {
  [ConnackCode.accepted]: "accepted",
  [ConnackCode.unacceptableProtocolLevel]: "protocol level not supported",
  [ConnackCode.identifierRejected]: "Client Identifier rejected",
  [ConnackCode.serverUnavailable]: "server unavailable",
  [ConnackCode.badUserNameOrPassword]: "bad user name or password",
  [ConnackCode.notAuthorized]: "not authorised",
};

const REASONS: Readonly<Record<NonNullable<ConnectRefusal["reason"]>, string>> = {
  ...SESSION_REFUSALS,
  foreignSession: "the session belongs to somebody else",
  "sessions-max": "sessions_max reached",
  "memory": "memory is short",
  "take-over-storm": "take-over storm",
  "sparkplug": "breach of a Sparkplug rule",
  "banned": "banned",
};

/** Severity and line of an event; every line names client, user and address. */
export function describeEvent(event: BrokerEvent): { severity: Severity; text: string } {
  const who = describeConnection(event.connection);
  switch (event.kind) {
    case "connected":
      return {
        severity: "info",
        text: `connected: ${who}${event.resumed ? ", session resumed" : ""}`,
      };
    case "closed":
      return {
        severity: event.cause === "disconnect" ? "info" : "warn",
        text: `closed: ${who}, ${CAUSES[event.cause]}${describeRefusal(event.refusal)}`,
      };
    case "takenOver": {
      const from = event.from.origin.remoteAddress;
      return { severity: "info", text: `take-over: ${who} from=${from}` };
    }
    case "protocolError":
      return {
        severity: "warn",
        text: `protocol error: ${who}, [${event.error.tag}] ${event.error.reason}`,
      };
    case "sessionRefused": {
      const whose = event.reason === "foreignSession" ? ` ${quote(event.owner)}` : "";
      return {
        severity: "warn",
        text: `session refused: ${who}, ${SESSION_REFUSALS[event.reason]}${whose}`,
      };
    }
    case "slowConsumer":
      return {
        severity: "warn",
        text: event.caughtUp ? `caught up: ${who}` : `slow consumer: ${who}`,
      };
    case "rateExceeded":
      return { severity: "info", text: `held: ${who}, a rate is exceeded; said once` };
  }
}

function describeRefusal(refusal: ConnectRefusal | null): string {
  if (refusal === null) return "";
  const { returnCode, reason } = refusal;
  return ` (${reason === null ? CODES[returnCode] : REASONS[reason]})`;
}

function describeConnection(connection: Connection): string {
  // A name is quoted, so that none looks like the lack of one.
  const user = connection.userName === null ? "-" : quote(connection.userName);
  return `client=${quote(connection.clientIdentifier)} user=${user} ` +
    `address=${connection.origin.remoteAddress}`;
}

/** Control characters and line ends of a client's text must not forge lines of the log. */
function quote(text: string): string {
  return JSON.stringify(text.length > 128 ? `${text.slice(0, 128)}…` : text)
    .replace(
      /[\u007f-\u009f\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}
