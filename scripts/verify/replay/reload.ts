/** The steps of `models/reload.pml` on reloads, gatekeeper, reception, turns, drivers and core. */
import { pbkdf2Sync } from "node:crypto";
import type { AuditTrail } from "../../../src/_server_audit.ts";
import type { Listeners } from "../../../src/_server_listeners.ts";
import { openGatekeeper } from "../../../src/_server_parts.ts";
import { Reloads } from "../../../src/_server_reloads.ts";
import { CONNECTION } from "../../../src/broker/connection_states.ts";
import { type Config, DEFAULT_CONFIG } from "../../../src/config/mod.ts";
import { encodePacket, encodeUtf8 } from "../../../src/mqtt/mod.ts";
import { connectOf, publishOf } from "./packets.ts";
import { type Observation, type Rig, settle } from "./rig.ts";
import { type BenchClient, MICROTASKS, noTrail, ServerBench } from "./server_bench.ts";
import { packetsIn } from "./turn_bench.ts";
import { VirtualFiles } from "./virtual_files.ts";
import { VirtualTimers } from "./virtual_timers.ts";

const PASSWORDS = "passwords";
const RULES = "rules";
const PASSWORD = encodeUtf8("secret");
/** By the numbers of the model: what denies, what allows, and what has a mistake. */
const RULE_TEXTS = ["user u\ndeny publish t\n", "user u\nallow publish t\n", "user u\nallow\n"];
const ALLOW = 1;

const CLIENTS = { away: 0, hashing: 1, connected: 2 } as const;

/** One that is never there, so that a file is never empty. */
const OTHER = passwordLine("other");
const USER = passwordLine("u");

const CONFIG: Config = {
  ...DEFAULT_CONFIG,
  security: { ...DEFAULT_CONFIG.security, passwordFile: PASSWORDS, accessFile: RULES },
  deadLetters: { ...DEFAULT_CONFIG.deadLetters, messagesMax: 0 },
};

/** A server whose files change. */
export class ReloadRig implements Rig {
  #timers = new VirtualTimers();
  #files = new VirtualFiles();
  #hashes: (() => void)[] = [];
  #trail: AuditTrail | null = null;
  #server!: ServerBench;
  #reloads!: Reloads;
  #client: BenchClient | null = null;
  #published = 0;

  async reset(): Promise<void> {
    this.#trail ??= await noTrail();
    this.#timers = new VirtualTimers();
    this.#files = new VirtualFiles();
    this.#hashes = [];
    this.#client = null;
    await this.#during(() => this.#begin(this.#trail!));
  }

  step([act, argument]: readonly string[]): Promise<void> {
    return this.#during(async () => {
      this.#carryOut(act, Number(argument));
      await settle(MICROTASKS);
      this.#take();
      await settle(MICROTASKS);
    });
  }

  observe(): Observation {
    const client = this.#client?.connection ?? null;
    const reading = this.#files.opening;
    return {
      reading: reading === null ? 0 : reading === PASSWORDS ? 1 : 2,
      client: client === null || client.closed
        ? CLIENTS.away
        : client.state === CONNECTION.states.authenticating
        ? CLIENTS.hashing
        : CLIENTS.connected,
      waiting: this.#waiting(),
      hashing: this.#hashes.length,
    };
  }

  close(): void {}

  /** Runs with files, hashes, timers and clock of its own. */
  #during<T>(act: () => Promise<T>): Promise<T> {
    const { subtle } = crypto;
    const { importKey, deriveBits } = subtle;
    return this.#timers.during(() =>
      this.#files.during(async () => {
        Object.assign(subtle, {
          importKey: (_format: string, raw: Uint8Array) => Promise.resolve(raw.slice()),
          deriveBits: (how: Pbkdf2Params, key: Uint8Array, bits: number) =>
            this.#hash(how, key, bits),
        });
        try {
          return await act();
        } finally {
          Object.assign(subtle, { importKey, deriveBits });
        }
      })
    );
  }

  /** The hash that was asked for, when the thread has finished. */
  #hash({ salt, iterations }: Pbkdf2Params, key: Uint8Array, bits: number): Promise<ArrayBuffer> {
    const hash = pbkdf2Sync(key, salt as Uint8Array, iterations, bits / 8, "sha256");
    return new Promise((resolve) => {
      this.#hashes.push(() => resolve(Uint8Array.from(hash).buffer));
    });
  }

  async #begin(trail: AuditTrail): Promise<void> {
    this.#files.write(PASSWORDS, OTHER + USER);
    this.#files.write(RULES, RULE_TEXTS[ALLOW]!);
    const opening = openGatekeeper(CONFIG);
    for (const _file of [PASSWORDS, RULES]) {
      await settle(MICROTASKS);
      this.#files.open();
    }
    const gatekeeper = await opening;
    if ("problem" in gatekeeper) throw new Error(gatekeeper.problem);
    this.#server = new ServerBench({ gatekeeper, trail, policy: gatekeeper.policy }, CONFIG);
    const { turns, reception } = this.#server;
    // There are none whose certificates could be read again.
    const listeners = { reload: () => Promise.resolve([]), recheck: () => Promise.resolve() };
    this.#reloads = new Reloads(turns, {
      gatekeeper,
      reception,
      trail,
      listeners: listeners as unknown as Listeners,
      others: () => Promise.resolve([]),
    });
    await settle(MICROTASKS);
    await this.#server.answer();
  }

  #carryOut(act: string | undefined, argument: number): void {
    switch (act) {
      case "edit_users":
        return this.#files.write(PASSWORDS, OTHER + (argument === 1 ? USER : ""));
      case "edit_rules":
        return this.#files.write(RULES, RULE_TEXTS[argument]!);
      case "reload":
        void this.#reloads.reload();
        return;
      case "read":
        return this.#files.open();
      case "connect":
        return this.#connect();
      case "leave":
        return this.#client!.stream.hangUp();
      case "hashed":
        return this.#hashes.shift()!();
      case "publish":
        return this.#publish(argument === ALLOW);
      case "answer":
        return this.#server.store.answer();
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
  }

  #connect(): void {
    this.#client = this.#server.open();
    this.#published = 0;
    const login = { userName: "u", password: PASSWORD };
    this.#client.stream.send(encodePacket(connectOf("c", login)));
  }

  /** What is let through is retained, and so stored before it is acknowledged. */
  #publish(isAllowed: boolean): void {
    const { statistics } = this.#server.turns.broker;
    const before = statistics.dropped["publish-refused"];
    const packetId = ++this.#published;
    const packet = publishOf("t", { qos: 1, packetId, retain: true });
    const client = this.#client!;
    client.stream.send(encodePacket(packet));
    this.#check = () => {
      const refused = statistics.dropped["publish-refused"] - before;
      if (refused !== Number(!isAllowed)) throw new Error(`${refused} messages were refused`);
    };
  }

  #check: (() => void) | null = null;

  /** The client takes all that it can get. */
  #take(): void {
    this.#check?.();
    this.#check = null;
    const stream = this.#client?.stream;
    if (stream === undefined || stream.offered.length === 0) return;
    stream.take(stream.offered.length);
  }

  /** PUBACKs behind the gate; all others must have been taken. */
  #waiting(): number {
    if (this.#client === null || this.#client.connection.closed) return 0;
    const { connection, stream } = this.#client;
    const { gated } = connection;
    const waiting = gated === null
      ? 0
      : packetsIn(gated.buffer.bytes.subarray(0, gated.buffer.length)).length;
    const taken = packetsIn(Uint8Array.from(stream.taken)).filter(({ type }) => type === "PUBACK");
    if (taken.length + waiting !== this.#published) throw new Error("PUBACKs are missing");
    return waiting;
  }
}

/** A line of a password file, with a hash that costs nothing. */
function passwordLine(userName: string): string {
  const salt = encodeUtf8("salt");
  const hash = pbkdf2Sync(PASSWORD, salt, 1, 32, "sha256").toString("base64");
  return `${userName}:$relayq$pbkdf2-sha256$1$${salt.toBase64()}$${hash}\n`;
}
