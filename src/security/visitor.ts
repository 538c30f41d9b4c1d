/** Who is at the door: the address is read once, when the connection is accepted. */
import { formatIpAddress, type IpAddress, parseIpAddress } from "./ip_address.ts";

/** Where a client comes from. For the core it is the origin of a connection. */
export class Visitor {
  readonly address: IpAddress;
  /** Address and port, for logs and policies. */
  readonly remoteAddress: string;
  /** Address of the listener, as configured. */
  readonly listener: string;
  /** Whom its client certificate names; null without one. */
  userName: string | null = null;
  /** What is spoken between it and MQTT. */
  transport: "tcp" | "tls" | "ws" | "wss" = "tcp";

  constructor(listener: string, { address, port }: { address: IpAddress; port: number }) {
    const text = formatIpAddress(address);
    this.address = address;
    this.remoteAddress = address.version === 4 ? `${text}:${port}` : `[${text}]:${port}`;
    this.listener = listener;
  }

  /** The peer of a socket; null if that has no IP address. */
  static of(listener: string, peer: { hostname: string; port: number }): Visitor | null {
    const address = parseIpAddress(peer.hostname);
    return "problem" in address ? null : new Visitor(listener, { address, port: peer.port });
  }
}
