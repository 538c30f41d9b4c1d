/** The broker core: bytes and time in, bytes in outboxes out. No I/O, no clock, no randomness. */
import type { Qos, TopicName } from "../mqtt/mod.ts";
import { AckGate } from "./ack_gate.ts";
import { ageAtStart } from "./age_at_start.ts";
import { AgeSaving } from "./age_saving.ts";
import { Backlog } from "./backlog.ts";
import { Certificates } from "./certificates.ts";
import { Connection, type ConnectionOrigin } from "./connection.ts";
import { CONNECTION } from "./connection_states.ts";
import type { Denial } from "./denials.ts";
import type { BrokerEvent, CloseCause, ConnectRefusal } from "./events.ts";
import { FlowControl } from "./flow_control.ts";
import { Inbound } from "./inbound.ts";
import { Intake } from "./intake.ts";
import type { StoredState } from "./journal.ts";
import { DEAD_LETTER_TOPIC } from "./dead_letters.ts";
import type { AccessPolicy } from "./policy.ts";
import { assertLimits, type BrokerLimits } from "./limits.ts";
import { makeMessage } from "./message.ts";
import { Oversight } from "./oversight.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { RateControl } from "./rate_control.ts";
import { RetainedMessages } from "./retained.ts";
import { Router } from "./router.ts";
import { Sender } from "./sender.ts";
import { SessionRegistry } from "./session_registry.ts";
import { type Pressure, Shedding } from "./shedding.ts";
import type { Statistics } from "./statistics.ts";
import { Subscriptions } from "./subscriptions.ts";
import {
  type BrokerOptions,
  type Instant,
  type PendingAuthentication,
  Turn,
  type TurnResult,
  WALK_STEPS_PER_TURN,
} from "./turn.ts";
import { Wills } from "./wills.ts";

/** How often stored sessions are looked through for expiry. */
const EXPIRY_INTERVAL_MS = 1_000;
/** After this time in flight a message stops sharing memory with its neighbours. */
const DETACH_AFTER_MS = 5_000;
/** Connections that may be without a client while the memory is short. */
const UNDECIDED_MAX = 16;

/** An MQTT 3.1.1 server without sockets. */
export class Broker {
  /** What its operator sees and changes. */
  readonly oversight: Oversight;
  readonly #turn: Turn;
  readonly #gate: AckGate;
  readonly #flow: FlowControl;
  readonly #rates: RateControl;
  readonly #sender: Sender;
  readonly #router: Router;
  readonly #sessions: SessionRegistry;
  readonly #wills: Wills;
  readonly #inbound: Inbound;
  readonly #shedding: Shedding;
  readonly #ages: AgeSaving;
  readonly #connections = new Set<Connection>();
  /** The births that are kept. */
  readonly certificates: Certificates;
  #nextExpiryMs = 0;

  /** Throws RangeError for limits that contradict each other. */
  constructor(options: BrokerOptions) {
    assertLimits(options.limits);
    const turn = new Turn(options);
    const gate = new AckGate(turn);
    const flow = new FlowControl(turn);
    const rates = new RateControl(turn, { flow });
    const retained = RetainedMessages.within(options.limits);
    const backlog = new Backlog(turn, flow);
    const sender = new Sender(turn, { gate, flow, retained, backlog });
    const router = new Router(turn, { sender, retained });
    const wills = new Wills(turn, router);
    const sessions = new SessionRegistry(turn, { gate, flow, rates, sender, router, wills });
    const subscriptions = new Subscriptions(turn, { gate, sender, router });
    this.#turn = turn;
    this.#gate = gate;
    this.#flow = flow;
    this.#rates = rates;
    this.#sender = sender;
    this.#router = router;
    this.#sessions = sessions;
    this.#wills = wills;
    const certificates = this.certificates = new Certificates(turn, router);
    const intake = new Intake(turn, { router, certificates });
    const parts = { gate, flow, rates, sender, router, sessions, subscriptions, intake };
    this.#inbound = new Inbound(turn, parts);
    this.#shedding = new Shedding(turn, { sessions, backlog });
    this.oversight = new Oversight(turn, { sessions, router });
    this.#ages = new AgeSaving(turn);
  }

  /** Counters and gauges; a live object. */
  get statistics(): Statistics {
    return this.#turn.statistics;
  }

  /** Takes over what the store held; once, before the first connection. */
  restore(state: StoredState, instant: Instant): void {
    const turn = this.#turn;
    turn.setClock(instant);
    turn.setAge(ageAtStart(state, instant.wallMs));
    this.#ages.save();
    turn.deadLetters.restore(state.deadLetters);
    this.#router.restoreRetained(state.retained);
    let sequence = 0;
    for (const { deliveries } of state.sessions) {
      for (const { sequence: at, sent } of deliveries) sequence = Math.max(sequence, at, sent);
    }
    this.#sender.startSequenceAt(sequence);
    // Who was connected has been away since now, which is later than all others.
    const sessions = state.sessions.toSorted((a, b) =>
      (a.storedSinceMs || Infinity) - (b.storedSinceMs || Infinity)
    );
    for (const stored of sessions) this.#sessions.restore(stored);
    this.#expire(); // before anybody comes and gets what is too old
    // Their connections ended with the process. [MQTT-3.1.2-8]
    for (const will of state.wills) this.#wills.restore(will);
    for (const { id, topic, ...content } of state.publications) {
      this.#turn.journal.republished(id);
      this.#router.publish(topic, content);
    }
  }

  /** Messages that the store could read, but not for whom they were: dead letters. */
  lost(messages: readonly { topic: string; payload: Uint8Array; qos: Qos }[]): void {
    for (const { topic, payload, qos } of messages) {
      const message = makeMessage(topic, payload, qos);
      this.#turn.deadLetters.give("storage-error", message, { qos, retain: false });
    }
  }

  /** Whether clients without a session are refused because the memory is short. */
  get refusesConnections(): boolean {
    return this.#turn.refusesConnections;
  }

  /** A Network Connection was accepted; null if there are too many, or too little memory. */
  opened(handle: number, origin: ConnectionOrigin, instant: Instant): Connection | null {
    this.#turn.setClock(instant);
    const { statistics, limits, pool } = this.#turn;
    statistics.connectionsTotal++;
    // A few may say who they are: clients whose sessions are here take messages away.
    const undecided = this.#connections.size - statistics.clientsConnected;
    const short = this.#turn.refusesConnections && undecided >= UNDECIDED_MAX;
    if (short || this.#connections.size >= limits.connectionsMax) {
      statistics.connectionsRefused++;
      return null;
    }
    const connection = new Connection(handle, { origin, pool, nowMs: instant.nowMs });
    this.#connections.add(connection);
    statistics.connectionsOpen = this.#connections.size;
    return connection;
  }

  /**
   * Bytes came: processes the complete packets in `bytes[range.start, range.end)` and gives the
   * offset of the first byte that has to be presented again, with more behind it or later.
   */
  receive(
    connection: Connection,
    bytes: Uint8Array,
    range: { start: number; end: number; instant: Instant },
  ): number {
    this.#turn.setClock(range.instant);
    return this.#inbound.receive(connection, bytes, range);
  }

  /** The socket took `bytes` of the bytes that the transport had taken from the outbox. */
  drained(connection: Connection, bytes: number, instant: Instant): void {
    this.#turn.setClock(instant);
    connection.writingBytes -= bytes;
    connection.lastWriteMs = instant.nowMs;
    connection.bytesSent += bytes;
    this.#turn.statistics.bytesSent += bytes;
    if (connection.closed) return;
    this.#flow.progress(connection);
    if (connection.session !== null) this.#sender.pump(connection.session);
    this.#flow.relaxSelf(connection);
  }

  /** The Network Connection is gone, or the server ends it. */
  close(connection: Connection, cause: CloseCause, instant: Instant): void {
    this.#turn.setClock(instant);
    if (cause === "peerClosed" || cause === "stalledWrite") connection.aborted = true;
    this.#sessions.close(connection, cause);
  }

  /** The server will end: what clients begin from now on is passed over, without an answer. */
  drain(): void {
    this.#turn.draining = true;
  }

  /** The server is about to end: what has grown old until now is not forgotten. */
  stopping(instant: Instant): void {
    this.#turn.setClock(instant);
    this.#ages.save();
  }

  /** The transport has ended the socket: the core forgets the connection. */
  gone(connection: Connection): void {
    this.#connections.delete(connection);
    this.#turn.statistics.connectionsOpen = this.#connections.size;
    connection.aborted = true;
    connection.outbox.clear();
    connection.gated?.buffer.clear();
    connection.gated = null;
  }

  /** The verdict on a CONNECT that the policy called pending. */
  authenticated(
    pending: PendingAuthentication,
    refusal: ConnectRefusal | null,
    instant: Instant,
  ): void {
    this.#turn.setClock(instant);
    const { connection, packet } = pending;
    if (connection.state !== CONNECTION.states.authenticating) return;
    connection.lastPacketMs = instant.nowMs; // it was not read meanwhile
    if (refusal === null) this.#sessions.accept(connection, packet);
    else this.#sessions.refuse(connection, refusal.returnCode, refusal);
    if (connection.readable) this.#turn.resumed.push(connection);
  }

  /** Publishes a message of the server itself. */
  publish(
    topic: TopicName,
    content: { payload: Uint8Array; qos: Qos; retain: boolean },
    instant: Instant,
  ): void {
    this.#turn.setClock(instant);
    this.#router.publish(topic, content);
  }

  /**
   * Other limits hold when what it gives is called; what is there already may stay. Throws RangeError
   * for limits that contradict each other.
   */
  prepareLimits(limits: BrokerLimits): () => void {
    assertLimits(limits);
    return () => {
      this.#turn.setLimits(limits);
      this.#shedding.limitsChanged();
      this.#router.topics.clear();
      for (const connection of this.#connections) connection.topic = null;
    };
  }

  /** Clients may send so much from now on, also those that are there; null for no limit. */
  setRates(rates: RateLimiter | null, instant: Instant): void {
    this.#turn.setClock(instant);
    this.#rates.replace(rates, this.#connections);
  }

  /** Another policy decides from now on. Its `generation` must differ from the last one's. */
  setPolicy(policy: AccessPolicy): void {
    this.#turn.policy = policy;
  }

  /** The memory is short, or not any more: this is given up from now on. */
  setPressure(pressure: Pressure): void {
    this.#shedding.set(pressure);
  }

  /** Queues are shed and that is not enough: so much of what waits goes, not below `floorBytes`. */
  shedMore(by: { share: number; floorBytes: number }): void {
    this.#shedding.lower(by);
  }

  /** Time passed: timeouts, slow consumers, expiry. To be called a few times a second. */
  tick(instant: Instant): void {
    this.#turn.setClock(instant);
    this.#rates.release();
    this.#flow.tick();
    this.continueReplays(instant);
    for (const connection of this.#connections) this.#tickConnection(connection);
    if (instant.nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = instant.nowMs + EXPIRY_INTERVAL_MS;
    this.#expire();
    this.#ages.tick();
  }

  /** When `releaseRates` wants to be called, in ms of the monotonic clock; Infinity for never. */
  get nextRateReleaseMs(): number {
    return this.#rates.nextReleaseMs;
  }

  /** Time passed: clients that had sent too much may be read again. */
  releaseRates(instant: Instant): void {
    this.#turn.setClock(instant);
    this.#rates.release();
  }

  /** Does what the turn has put off until its end; to be called before its commit. */
  settle(): void {
    this.#shedding.settle();
    for (const { topic, payload, qos } of this.#turn.deadLetters.takeRepublished()) {
      const name = `${DEAD_LETTER_TOPIC}${topic}` as TopicName;
      this.#router.publish(name, { payload, qos, retain: false });
    }
  }

  /** Ends the turn: gives what the transport has to do. */
  endTurn(): TurnResult {
    const turn = this.#turn;
    const result = { dirty: turn.dirty, resumed: turn.resumed };
    turn.dirty = [];
    turn.resumed = [];
    turn.fanOutBytes = 0;
    turn.walkSteps = WALK_STEPS_PER_TURN;
    for (const connection of result.dirty) connection.dirty = false;
    return result;
  }

  /** Batches up to `batch` are committed: their acknowledgements may leave. */
  committed(batch: number): void {
    // A store that acknowledges first may be done with an older one later.
    this.#turn.committedBatch = Math.max(this.#turn.committedBatch, batch);
    this.#gate.release(batch);
    this.#flow.storeProgress();
  }

  /** Whether `receive` stopped because the turn has done enough; it goes on after `endTurn`. */
  get turnFull(): boolean {
    return this.#turn.full;
  }

  /** Whether replays of retained messages go on with `continueReplays`. */
  get replaysWait(): boolean {
    return this.#turn.walking.size > 0;
  }

  /** Goes on with the replays that earlier turns did not finish. */
  continueReplays(instant: Instant): void {
    this.#turn.setClock(instant);
    const { walking } = this.#turn;
    this.#turn.walking = new Set();
    for (const session of walking) this.#sender.pump(session);
  }

  /** Events since the last call. */
  takeEvents(): readonly BrokerEvent[] {
    return this.#turn.events.take();
  }

  /** What the policy denied since the last call, and how many denials there was no room for. */
  takeDenials(): { readonly kept: readonly Denial[]; readonly others: number } | null {
    return this.#turn.denials.take();
  }

  /** CONNECTs that wait for their verdict, since the last call. */
  takeAuthentications(): readonly PendingAuthentication[] {
    const { authentications } = this.#turn;
    if (authentications.length > 0) this.#turn.authentications = [];
    return authentications;
  }

  /** All open connections. */
  connections(): IterableIterator<Connection> {
    return this.#connections.values();
  }

  #expire(): void {
    this.#sessions.expire();
    this.#router.expireRetained();
    this.#turn.deadLetters.expire();
  }

  #tickConnection(connection: Connection): void {
    if (connection.closed) return;
    const { nowMs, limits, statistics } = this.#turn;
    const stalled = connection.writingBytes > 0 &&
      nowMs - connection.lastWriteMs > limits.stalledWriteTimeoutMs;
    if (stalled) {
      statistics.stalledWrites++;
      connection.aborted = true;
      this.#sessions.close(connection, "stalledWrite");
      return;
    }
    if (connection.session === null) {
      if (nowMs - connection.openedMs <= limits.connectTimeoutMs) return;
      statistics.connectTimeouts++;
      this.#sessions.close(connection, "connectTimeout");
      return;
    }
    const limit = connection.keepAliveLimitMs;
    if (limit > 0 && connection.readable && nowMs - connection.lastPacketMs > limit) {
      statistics.keepAliveTimeouts++;
      this.#sessions.close(connection, "keepAlive"); // [MQTT-3.1.2-24]
      return;
    }
    this.#sender.detachOld(connection.session, nowMs - DETACH_AFTER_MS);
  }
}
