/** What the rooms of the core share: limits, policies, the clock of the turn, and its results. */
import type { BlockPool, ConnectPacket } from "../mqtt/mod.ts";
import { COUNTS_AT_THE_END } from "./at_the_end.ts";
import type { Connection } from "./connection.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Denials } from "./denials.ts";
import { EventLog } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { BrokerLimits } from "./limits.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import type { AccessPolicy, TakeOverPolicy } from "./policy.ts";
import type { Session } from "./session.ts";
import type { SparkplugPolicy } from "./sparkplug_policy.ts";
import { Statistics } from "./statistics.ts";

/** Bytes of fan-out after which a turn ends, so that outboxes drain before more is read. */
const FAN_OUT_BYTES_PER_TURN = 8_388_608;

/** How long a run of QoS 0 packets may be that goes to so many receivers at once. */
export function runBytesMax(receivers: number): number {
  return receivers <= 64 ? 131_072 : FAN_OUT_BYTES_PER_TURN / receivers;
}

/** Steps through the retained messages after which a turn leaves the rest to the next. */
export const WALK_STEPS_PER_TURN = 10_000;

/** The moment at which the core acts. */
export interface Instant {
  /** Monotonic clock, in ms; never 0. */
  readonly nowMs: number;
  /** Wall clock, in ms since 1970. */
  readonly wallMs: number;
}

/** A CONNECT whose client has to be authenticated before `Broker.authenticated` goes on with it. */
export interface PendingAuthentication {
  readonly connection: Connection;
  readonly packet: ConnectPacket;
}

/** What a turn leaves to do for the transport. */
export interface TurnResult {
  /** Connections with bytes to send, or closed ones whose socket is to be ended. */
  readonly dirty: readonly Connection[];
  /** Connections that may be read again. */
  readonly resumed: readonly Connection[];
}

/** What the core is given once. */
export interface BrokerOptions {
  readonly limits: BrokerLimits;
  readonly policy: AccessPolicy;
  /** Null where Sparkplug is off. */
  readonly sparkplug: SparkplugPolicy | null;
  readonly journal: Journal;
  /** Makes Client Identifiers for clients that sent none; must not repeat. */
  readonly randomId: () => string;
  readonly pool: BlockPool;
  /** How much clients may send; null if they are not limited. */
  readonly rates?: RateLimiter | null;
  /** Without one, every take-over is allowed. */
  readonly takeOvers?: TakeOverPolicy;
}

/** The state of one turn of the core, between two calls of `Broker.endTurn`. */
export class Turn {
  /** One object for as long as the broker runs: what it says may change between turns. */
  readonly limits: BrokerLimits;
  readonly journal: Journal;
  readonly randomId: () => string;
  readonly pool: BlockPool;
  policy: AccessPolicy;
  rates: RateLimiter | null;
  readonly sparkplug: SparkplugPolicy | null;
  readonly takeOvers: TakeOverPolicy | null;
  readonly statistics: Statistics = new Statistics();
  readonly events: EventLog = new EventLog(this.statistics);
  readonly denials: Denials = new Denials();
  readonly deadLetters: DeadLetters;
  nowMs = 1;
  wallMs = 0;
  /** What the age clock is ahead of the monotonic one. */
  #ageAheadMs = 0;
  #tickets = 0;
  /** The connection whose packets are being processed, if any. */
  publisher: Connection | null = null;
  /** Connections with bytes to send or an end to carry out. */
  dirty: Connection[] = [];
  /** Connections that may be read again. */
  resumed: Connection[] = [];
  /** CONNECTs whose verdict is pending. */
  authentications: PendingAuthentication[] = [];
  /** The last batch that is committed. */
  committedBatch = 0;
  /** Steps through the retained messages that this turn may still take. */
  walkSteps = WALK_STEPS_PER_TURN;
  /** Sessions whose replay goes on in a later turn. */
  walking: Set<Session> = new Set();
  /** Whether the memory is too short for clients without a session. */
  refusesConnections = false;
  /** Whether it is too short for QoS 0 messages to receivers with a backlog. */
  shedsQos0 = false;
  /** Whether the server is about to end. */
  draining = false;
  /** Bytes that may wait for the store before whoever publishes into it is not read. */
  storeBacklogBytesMax: number;
  /** Bytes handed to outboxes by fan-out in this turn. */
  fanOutBytes = 0;

  constructor(options: BrokerOptions) {
    this.limits = { ...options.limits };
    this.storeBacklogBytesMax = options.limits.storeBacklogBytesMax;
    this.journal = options.journal;
    this.randomId = options.randomId;
    this.pool = options.pool;
    this.policy = options.policy;
    this.rates = options.rates ?? null;
    this.sparkplug = options.sparkplug;
    this.takeOvers = options.takeOvers ?? null;
    this.deadLetters = new DeadLetters(this);
  }

  /**
   * Other limits hold from now on. How retained messages grow old is as it was at the start: their
   * order is not known otherwise.
   */
  setLimits(limits: BrokerLimits): void {
    const { retainedFull, retainedExpiryMs } = this.limits;
    Object.assign(this.limits, limits, { retainedFull, retainedExpiryMs });
  }

  /**
   * The age clock, in ms: what is stored grows old by it. It runs like the monotonic clock, whatever
   * is done to the wall clock, and goes on over restarts.
   */
  get ageMs(): number {
    return this.nowMs + this.#ageAheadMs;
  }

  /** The age clock in whole seconds. */
  get ageS(): number {
    return Math.floor(this.ageMs / 1000);
  }

  /** Sets the age clock. */
  setAge(ageMs: number): void {
    this.#ageAheadMs = ageMs - this.nowMs;
  }

  /** Whether the turn has done enough, and has to end before more bytes are processed. */
  get full(): boolean {
    return this.fanOutBytes > FAN_OUT_BYTES_PER_TURN;
  }

  /**
   * Stands for a connection under the present rules: a verdict that was noted with it holds as long
   * as it is the same. Never 0, and never given to another connection.
   */
  ticketOf(connection: Connection): number {
    const { generation } = this.policy;
    if (connection.ticketGeneration !== generation) {
      connection.ticketGeneration = generation;
      connection.ticket = ++this.#tickets;
    }
    return connection.ticket;
  }

  /** Whether a packet of this type begins something, and the server is about to end. */
  passesOver(type: number): boolean {
    return this.draining && !COUNTS_AT_THE_END[type];
  }

  /** Puts a connection on the dirty list. */
  touch(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.dirty.push(connection);
  }

  /** Bytes of a connection were processed; `publishes`: how many PUBLISH packets came before. */
  received(connection: Connection, bytes: number, publishes: number): void {
    const { statistics } = this;
    connection.lastPacketMs = this.nowMs;
    connection.bytesReceived += bytes;
    connection.publishReceived += statistics.publishReceived - publishes;
    statistics.bytesReceived += bytes;
  }

  setClock(instant: Instant): void {
    this.nowMs = instant.nowMs;
    this.wallMs = instant.wallMs;
  }
}
