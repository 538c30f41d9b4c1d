/** The server without its listeners: reception, turns, drivers and core, over streams of a rig. */
import { AuditTrail } from "../../../src/_server_audit.ts";
import { ConnectionAudit } from "../../../src/_server_audit_connections.ts";
import { logOptions } from "../../../src/_server_log.ts";
import { brokerLimits } from "../../../src/_server_parts.ts";
import { Reception } from "../../../src/_server_reception.ts";
import { Turns } from "../../../src/_server_turns.ts";
import { type AccessPolicy, Broker, type Connection } from "../../../src/broker/mod.ts";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/mod.ts";
import { type ControlPacket, encodePacket } from "../../../src/mqtt/mod.ts";
import { FrontDoor, type Gatekeeper, Visitor } from "../../../src/security/mod.ts";
import { BenchStream } from "./bench_stream.ts";
import { HeldStore } from "./held_store.ts";
import { settle } from "./rig.ts";

/** Enough for all steps with which the server looks at every socket. */
export const MICROTASKS = 160;

/** One connection, from both ends. */
export interface BenchClient {
  readonly stream: BenchStream;
  readonly connection: Connection;
}

/** A server whose store answers, and whose sockets take bytes, when a rig says so. */
export class ServerBench {
  readonly store = new HeldStore();
  readonly turns: Turns;
  readonly reception: Reception;

  constructor(
    parts: { gatekeeper: Gatekeeper; trail: AuditTrail; policy: AccessPolicy },
    config: Config = DEFAULT_CONFIG,
  ) {
    const { gatekeeper, trail, policy } = parts;
    const door = FrontDoor.open(config, () => {});
    if ("problem" in door) throw new Error(door.problem);
    const audit = new ConnectionAudit(trail, () => null);
    this.turns = new Turns((pool) =>
      new Broker({
        limits: brokerLimits(config),
        policy,
        sparkplug: null,
        journal: this.store.journal,
        randomId: () => "random",
        pool,
      }), {
      store: this.store,
      witness: audit,
      logOptions: logOptions(config.log),
      writeLog: () => {},
      lineSeen: () => {},
    });
    this.turns.broker.restore(this.store.load(), this.turns.instant());
    this.reception = new Reception(this.turns, { gatekeeper, door, audit });
    this.turns.serve(this.reception);
  }

  /** A connection that came through the door. */
  open(): BenchClient {
    const stream = new BenchStream();
    const visitor = Visitor.of("bench", { hostname: "192.0.2.1", port: 1 })!;
    this.reception.accepted({ stream, visitor, certificate: null, tls: null });
    return { stream, connection: [...this.turns.broker.connections()].at(-1)! };
  }

  /** A connection whose CONNECT was answered, and whose client has taken the answer. */
  async connect(packet: ControlPacket): Promise<BenchClient> {
    const client = this.open();
    client.stream.send(encodePacket(packet));
    await settle(MICROTASKS);
    await this.answer();
    client.stream.take(client.stream.offered.length);
    await settle(MICROTASKS);
    return client;
  }

  /** The store has carried out all that it was given. */
  async answer(): Promise<void> {
    this.store.answer();
    await settle(MICROTASKS);
  }
}

/** An audit trail that keeps nothing. */
export async function noTrail(): Promise<AuditTrail> {
  const config = { ...DEFAULT_CONFIG.audit, enabled: false };
  const trail = await AuditTrail.open(config, { dataDir: "", version: "", say: () => {} });
  if ("problem" in trail) throw new Error(trail.problem);
  return trail;
}
