/** One Network Connection as the core sees it: bytes in, bytes out, and where it stands. */
import { type BlockPool, ByteBuffer, type Will } from "../mqtt/mod.ts";
import { CONNECTION } from "./connection_states.ts";
import type { ClientRate } from "./rate_limiter.ts";
import type { Session } from "./session.ts";
import type { TopicEntry } from "./topic_cache.ts";

/** Where a connection came from; the core only hands it on. */
export interface ConnectionOrigin {
  /** Address and port of the peer, for logs and policies. */
  readonly remoteAddress: string;
  /** Name of the listener. */
  readonly listener: string;
  /** Whom the client certificate names; null without one. */
  readonly userName?: string | null;
}

/** Bytes that wait for a commit; a connection has one only while there are any. */
export class GatedOutbox {
  readonly buffer: ByteBuffer;
  /** Bytes from `start` on wait for the commit of `batch`. */
  readonly marks: { readonly batch: number; start: number }[] = [];
  /** Whether acknowledgements wait, which later ones must not overtake. */
  acknowledgements = false;
  /** Whether deliveries wait, which later ones must not overtake. */
  deliveries = false;

  constructor(pool: BlockPool) {
    this.buffer = new ByteBuffer(pool);
  }
}

/** State of one Network Connection. Written by the rooms of the core only. */
export class Connection {
  /** Given by the transport; an index into its own table. */
  readonly handle: number;
  readonly origin: ConnectionOrigin;
  readonly openedMs: number;
  /** A state of the connection table. */
  state: number = CONNECTION.states.awaitConnect;
  session: Session | null = null;
  /** Client Identifier as it was sent or assigned; empty before CONNECT. */
  clientIdentifier = "";
  /** Of the client certificate, or else as the client gave it. */
  userName: string | null;
  will: Will | null = null;
  /** One and a half times the keep alive, in ms; 0 for none. */
  keepAliveLimitMs = 0;
  lastPacketMs: number;
  /** When its client was let in, on the wall clock in ms; 0 before that. */
  connectedAtMs = 0;
  /** Bytes of Control Packets, as `Statistics` counts them, and PUBLISH packets among them. */
  bytesReceived = 0;
  bytesSent = 0;
  publishReceived = 0;

  /** Bytes that may leave. */
  readonly outbox: ByteBuffer;
  gated: GatedOutbox | null = null;
  /** Bytes that the transport has taken and the socket has not. */
  writingBytes = 0;
  /** When the socket last took a byte. */
  lastWriteMs: number;
  /** Whether the connection stands on the dirty list of this turn. */
  dirty = false;
  /** Whether the transport closes the socket at once, with bytes still unsent. */
  aborted = false;

  /** Congested connections that keep this one from being read. */
  holds = 0;
  /** When `holds` last rose from 0. */
  heldSinceMs = 0;
  /** Whether the bytes that wait for this client keep it from being read itself. */
  holdsItself = false;
  /** Whether the store has to catch up before this one is read. */
  heldByStore = false;
  /** What its client may send; null if that has no limit. */
  rate: ClientRate | null = null;
  /** Its place in the queue of those that have sent too much; -1 if it may be read. */
  releaseIndex = -1;
  /** Until when it is not read, if it stands in that queue. */
  heldUntilMs = 0;
  /** Whether it has been held for its rate before. */
  rateExceeded = false;
  /** Publishers that are not read because this connection does not keep up. */
  holding: Set<Connection> | null = null;
  /** Since when the backlog is above its high-water mark; 0 if it is not. */
  congestedSinceMs = 0;
  /** A slow consumer: it lost the right to hold publishers until it has caught up. */
  slow = false;

  /** The topic published last, with the policy's verdict on it. */
  topic: TopicEntry | null = null;
  topicAllowed = false;
  topicTicket = 0;
  /** See `Turn.ticketOf`. */
  ticket = 0;
  ticketGeneration = -1;

  constructor(
    handle: number,
    options: { origin: ConnectionOrigin; pool: BlockPool; nowMs: number },
  ) {
    this.handle = handle;
    this.origin = options.origin;
    this.userName = options.origin.userName ?? null;
    this.openedMs = options.nowMs;
    this.lastPacketMs = options.nowMs;
    this.lastWriteMs = options.nowMs;
    this.outbox = new ByteBuffer(options.pool);
  }

  /** Bytes that wait to leave, gated ones included. */
  get pendingBytes(): number {
    return this.outbox.length + this.writingBytes +
      (this.gated === null ? 0 : this.gated.buffer.length);
  }

  /** Whether it has sent more than it may, and is not read for a while. */
  get heldByRate(): boolean {
    return this.releaseIndex >= 0;
  }

  /** Whether the transport should read the socket: open, CONNECT judged, nobody holds it. */
  get readable(): boolean {
    return this.holds === 0 && !this.holdsItself && !this.heldByStore && !this.heldByRate &&
      this.state !== CONNECTION.states.closed && this.state !== CONNECTION.states.authenticating;
  }

  /** Whether the connection has ended for the core. */
  get closed(): boolean {
    return this.state === CONNECTION.states.closed;
  }
}
