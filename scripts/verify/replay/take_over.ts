/** The steps of `models/take_over.pml` on the turns of the server and its core. */
import type { AccessPolicy, PendingAuthentication, Statistics } from "../../../src/broker/mod.ts";
import { OPEN_ACCESS } from "../../../src/broker/mod.ts";
import { CONNECTION } from "../../../src/broker/connection_states.ts";
import { ConnackCode, type TopicFilter } from "../../../src/mqtt/mod.ts";
import { MemoryStore } from "../../../src/store/mod.ts";
import { connectOf, willOf } from "./packets.ts";
import type { Observation, Rig } from "./rig.ts";
import { type BenchSocket, TurnBench } from "./turn_bench.ts";

/** Every CONNECT waits for its verdict. */
const SLOW_GATE: AccessPolicy = { ...OPEN_ACCESS, connect: () => ({ kind: "pending" }) };

const CLIENT = "rival";

const AWAY = 0;
const STATES: Readonly<Record<number, number>> = {
  [CONNECTION.states.awaitConnect]: 1,
  [CONNECTION.states.authenticating]: 2,
  [CONNECTION.states.connected]: 3,
  [CONNECTION.states.closed]: 4,
};
const CONNACKS = { none: 0, accepted: 1, resumed: 2, denied: 3 } as const;
const WILLS = { none: 0, set: 1, published: 2, discarded: 3 } as const;

/** Some connections that want the same Client Identifier. */
export class TakeOverRig implements Rig {
  readonly #connections: number;
  #core!: TurnBench;
  #sockets: BenchSocket[] = [];
  #asked = new Map<number, PendingAuthentication>();
  /** What became of Wills. */
  #wills: number[] = [];

  constructor({ connections }: { connections: number }) {
    this.#connections = connections;
  }

  reset(): void {
    this.#core = new TurnBench(new MemoryStore(), { policy: SLOW_GATE });
    this.#sockets = [];
    this.#asked = new Map();
    this.#wills = new Array<number>(this.#connections).fill(WILLS.none);
  }

  step([act, who, clean]: readonly string[]): void {
    const index = Number(who);
    const socket = this.#sockets[index]!;
    const { turns, broker } = this.#core;
    const publishedBefore = broker.statistics.willsPublished;
    switch (act) {
      case "open":
        this.#sockets.push(this.#core.open());
        break;
      case "connect": {
        const options = { cleanSession: clean === "1", will: willOf(`will/${index}`) };
        socket.send(connectOf(CLIENT, options));
        break;
      }
      case "subscribe": {
        const subscriptions = [{ filter: "t" as TopicFilter, qos: 0 as const }];
        socket.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
        break;
      }
      case "goodbye":
        socket.send({ type: "DISCONNECT" });
        break;
      case "lose":
        broker.close(socket.connection, "peerClosed", turns.instant());
        break;
      case "admit":
      case "deny":
        this.#judge(index, act === "admit");
        break;
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
    turns.end();
    for (const pending of this.#core.pending.splice(0)) this.#asked.set(index, pending);
    this.#followWills(publishedBefore);
  }

  observe(): Observation {
    const { statistics } = this.#core.broker;
    const observation: Record<string, number> = {
      subscriptions: statistics.subscriptions,
      opened: this.#sockets.length,
      holder: this.#sockets.findIndex(({ connection }) => holds(connection)) + 1,
    };
    this.#session(observation, statistics);
    for (let index = 0; index < this.#connections; index++) {
      const socket = this.#sockets[index];
      const state = socket?.connection.state;
      observation[`at${index}`] = state === undefined ? AWAY : STATES[state]!;
      observation[`connack${index}`] = socket === undefined ? CONNACKS.none : connackOf(socket);
      observation[`will${index}`] = this.#wills[index]!;
      observation[`asked${index}`] = Number(this.#asked.has(index));
    }
    return observation;
  }

  close(): void {}

  #judge(index: number, admitted: boolean): void {
    const pending = this.#asked.get(index)!;
    this.#asked.delete(index);
    const returnCode = ConnackCode.badUserNameOrPassword;
    const refusal = admitted ? null : { returnCode, reason: null };
    const { broker, turns } = this.#core;
    broker.authenticated(pending, refusal, turns.instant());
  }

  /** 0 absent, 1 transient, 2 persistent, 3 stored. */
  #session(observation: Record<string, number>, { sessions }: Statistics): void {
    const held = this.#sockets.map(({ connection }) => connection).find(holds);
    if (sessions > 1) throw new Error(`Cannot compare: ${sessions} sessions of one identifier`);
    if (sessions === 0) observation["session"] = 0;
    else if (held === undefined) observation["session"] = 3;
    else observation["session"] = held.session!.persistent ? 2 : 1;
  }

  /** A Will that is gone was published if there is one more that was. */
  #followWills(publishedBefore: number): void {
    let published = this.#core.broker.statistics.willsPublished - publishedBefore;
    for (const [index, { connection }] of this.#sockets.entries()) {
      if (connection.will !== null) this.#wills[index] = WILLS.set;
      else if (this.#wills[index] === WILLS.set) {
        this.#wills[index] = published-- > 0 ? WILLS.published : WILLS.discarded;
      }
    }
    if (published > 0) throw new Error(`Cannot follow Wills: ${published} that nobody has set`);
  }
}

function holds({ session, closed }: BenchSocket["connection"]): boolean {
  return session !== null && !closed;
}

function connackOf({ received }: BenchSocket): number {
  const connacks = received.filter((packet) => packet.type === "CONNACK");
  const [first] = connacks;
  if (connacks.length > 1 || received[0] !== first) {
    throw new Error("CONNACK is not first and once");
  }
  if (first === undefined) return CONNACKS.none;
  if (first.returnCode !== ConnackCode.accepted) return CONNACKS.denied;
  return first.sessionPresent ? CONNACKS.resumed : CONNACKS.accepted;
}
