/** The line of the log for everybody who is turned away, in a form that fail2ban understands. */
import { formatIpAddress, type IpAddress } from "./ip_address.ts";
import { quote } from "./_quote.ts";

/** Why somebody was turned away. */
export const REFUSAL_REASONS = [
  "bad-credentials",
  "certificate-refused",
  "connect-not-allowed",
  "connection-rate",
  "connections-max",
  "identity-mismatch",
  "ip-blocked",
  "ip-not-allowed",
  "locked-out",
  "memory",
  "no-credentials",
  "proxy-protocol",
  "sessions-max",
  "take-over-storm",
  "tls-handshake",
  "websocket-handshake",
] as const;

/** One of them. */
export type RefusalReason = typeof REFUSAL_REASONS[number];

/** One refusal. */
export interface Refusal {
  readonly address: IpAddress;
  readonly reason: RefusalReason;
  /** Name of the listener, out of the configuration. */
  readonly listener: string;
  readonly clientIdentifier?: string;
  readonly userName?: string | null;
  /** For how long it lasts, in ms, where that is known. */
  readonly forMs?: number;
  /** How many like it were not written since the last one that was. */
  readonly suppressed?: number;
  /** What more there is to say; it may hold what the client chose. */
  readonly detail?: string;
}

/**
 * The text of a refusal, without time and level. Address and reason stand before anything that the
 * client chose, and that is quoted, so that nobody can have somebody else banned.
 */
export function formatRefusal(refusal: Refusal): string {
  const { address, reason, listener, clientIdentifier, userName } = refusal;
  const { forMs, suppressed = 0, detail } = refusal;
  let line = `login refused: address=${formatIpAddress(address)} reason=${reason}`;
  if (forMs !== undefined) line += ` for_s=${Math.ceil(forMs / 1000)}`;
  if (suppressed > 0) line += ` suppressed=${suppressed}`;
  line += ` listener=${listener}`;
  if (clientIdentifier !== undefined) line += ` client=${quote(clientIdentifier)}`;
  if (userName !== undefined && userName !== null) line += ` user=${quote(userName)}`;
  if (detail !== undefined) line += ` detail=${quote(detail)}`;
  return line;
}

/**
 * A filter for fail2ban, the content of `/etc/fail2ban/filter.d/relayq.conf`. It counts only what
 * speaks of guessing: a blocked address or a full broker is no reason for a ban. For a jail that
 * reads the log from a file; the system journal puts its own words in front of the level.
 */
export const FAIL2BAN_FILTER = String.raw`[Definition]
failregex = ^\s*warn\s+login refused: address=<ADDR> reason=(?:bad-credentials|certificate-refused|identity-mismatch|locked-out|no-credentials)\s
datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S\.%%f%%z
`;
