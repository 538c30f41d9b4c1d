/** Who may come in at all: asked for each connection before TLS, and before a byte of MQTT is read. */
import { ConnectionRates } from "./connection_rate.ts";
import { IpRules, ipVerdict, parseIpList } from "./ip_rules.ts";
import { describe, type ListenerDoor, words } from "./listener_door.ts";
import { LoginGuard, type LoginGuardLimits } from "./login_guard.ts";
import type { Refusal } from "./refusal_line.ts";
import { Refusals, type SayRefusal } from "./refusals.ts";
import type { Visitor } from "./visitor.ts";

/** Addresses that are remembered; see `LoginGuard` and `ConnectionRates` for what becomes of more. */
const GUARDED_ADDRESSES_MAX = 4_096;
const RATED_ADDRESSES_MAX = 16_384;
/** So often the log says that accepting pauses. */
const PAUSE_LINE_MS = 60_000;

/** What the configuration says about the door; lists of addresses with blanks between. */
export interface FrontDoorSettings {
  /** Nobody else may connect; empty for everybody. */
  readonly ip: { readonly allow: string; readonly block: string };
  readonly connectionRate: {
    readonly perSecond: number;
    readonly burst: number;
    readonly perAddressPerSecond: number;
    readonly perAddressBurst: number;
    /** Counted among all together only. */
    readonly exempt: string;
  };
  readonly loginGuard: Omit<LoginGuardLimits, "addressesMax"> & {
    /** Never locked out. */
    readonly exempt: string;
  };
}

/** Whether a connection may go on, and for how long no more are to be accepted. */
export interface Admission {
  readonly admitted: boolean;
  /** In ms; 0 nearly always. */
  readonly pauseMs: number;
}

/** Who failed a login, besides his address. */
export interface LoginFacts {
  readonly clientIdentifier: string;
  readonly userName: string | null;
  readonly nowMs: number;
}

/** What decides. */
interface DoorParts {
  readonly rules: IpRules;
  readonly rates: ConnectionRates;
  readonly guard: LoginGuard;
}

const ADMITTED: Admission = { admitted: true, pauseMs: 0 };
const REFUSED: Admission = { admitted: false, pauseMs: 0 };

/** Lets connections in, or not, by their addresses. */
export class FrontDoor {
  #rules: IpRules;
  #rates: ConnectionRates;
  #guard: LoginGuard;
  readonly #refusals: Refusals;
  readonly #say: SayRefusal;
  #pauses = 0;
  #pauseToldMs = -Infinity;

  private constructor(parts: DoorParts, say: SayRefusal) {
    this.#rules = parts.rules;
    this.#rates = parts.rates;
    this.#guard = parts.guard;
    this.#refusals = new Refusals(say);
    this.#say = say;
  }

  /** Makes the door, or says what is wrong with a list of addresses; `say` writes a warning. */
  static open(settings: FrontDoorSettings, say: SayRefusal): FrontDoor | { problem: string } {
    const parts = makeParts(settings);
    return "problem" in parts ? parts : new FrontDoor(parts, say);
  }

  /**
   * Makes ready what other settings ask for, or says what is wrong with them; who calls what it gives
   * puts it in place. Who is locked out stays so; rates of connections begin anew.
   */
  prepare(settings: FrontDoorSettings): (() => void) | { problem: string } {
    const parts = makeParts(settings);
    if ("problem" in parts) return parts;
    return () => {
      parts.guard.inherit(this.#guard);
      this.#rules = parts.rules;
      this.#rates = parts.rates;
      this.#guard = parts.guard;
    };
  }

  /** Whom to tell of everybody who is turned away. */
  set onRefusal(tell: (refusal: Refusal) => void) {
    this.#refusals.onRefusal = tell;
  }

  /** Pauses of accepting, and who was turned away, by reason. */
  get figures(): { readonly pauses: number; readonly refused: Readonly<Record<string, number>> } {
    return { pauses: this.#pauses, refused: this.#refusals.counts };
  }

  /** Counters by the end of their topic. */
  get facts(): Readonly<Record<string, number>> {
    const facts: Record<string, number> = { "connections/paused": this.#pauses };
    for (const [reason, count] of Object.entries(this.#refusals.counts)) {
      facts[`refused/${reason}`] = count;
    }
    return facts;
  }

  /**
   * Whether this connection may go on. Who is refused, for whatever reason, takes nothing of the
   * rate of all together: an attacker who is known as one must not keep the others waiting.
   */
  admits(visitor: Visitor, { door, nowMs }: { door: ListenerDoor; nowMs: number }): Admission {
    if (!this.#passes(visitor, door, nowMs)) return REFUSED;
    const pauseMs = this.#rates.opened(nowMs);
    if (pauseMs === 0) return ADMITTED;
    this.#paused(nowMs);
    return { admitted: true, pauseMs };
  }

  /** A password was wrong. */
  failed({ address, listener }: Visitor, { nowMs, ...who }: LoginFacts): void {
    const lockOut = this.#guard.failed(address, nowMs);
    const forMs = lockOut === null ? {} : { forMs: lockOut.lockOutMs };
    this.#refusals.add({ address, reason: "bad-credentials", listener, ...who, ...forMs }, nowMs);
  }

  /** A password was right. */
  succeeded({ address }: Visitor, nowMs: number): void {
    this.#guard.succeeded(address, nowMs);
  }

  /** Somebody was turned away elsewhere. */
  refused(
    { address, listener }: Visitor,
    { nowMs, ...why }: Omit<Refusal, "address" | "listener"> & { nowMs: number },
  ): void {
    this.#refusals.add({ address, listener, ...why }, nowMs);
  }

  /** To be called now and then. */
  tick(nowMs: number): void {
    this.#refusals.drain(nowMs);
  }

  #passes({ address, listener }: Visitor, { rules }: ListenerDoor, nowMs: number): boolean {
    const forMs = this.#rates.refusalMs(address, nowMs);
    if (forMs > 0) {
      this.#refusals.add({ address, reason: "connection-rate", listener, forMs }, nowMs);
      return false;
    }
    const verdict = ipVerdict([this.#rules, rules], address);
    if (verdict !== "allowed") {
      const reason = verdict === "blocked" ? "ip-blocked" : "ip-not-allowed";
      this.#refusals.add({ address, reason, listener }, nowMs);
      return false;
    }
    const login = this.#guard.allowed(address, nowMs);
    if (login.allowed) return true;
    const lockedMs = login.untilMs - nowMs;
    this.#refusals.add({ address, reason: "locked-out", listener, forMs: lockedMs }, nowMs);
    return false;
  }

  #paused(nowMs: number): void {
    this.#pauses++;
    if (nowMs - this.#pauseToldMs < PAUSE_LINE_MS) return;
    this.#pauseToldMs = nowMs;
    this.#say(
      "connection rate: more than connection_rate.per_second, others wait to be accepted",
      null,
    );
  }
}

function makeParts(
  { ip, connectionRate, loginGuard }: FrontDoorSettings,
): DoorParts | { problem: string } {
  const rules = IpRules.parse({ allow: words(ip.allow), block: words(ip.block) });
  if ("problems" in rules) return { problem: `ip.${describe(rules.problems[0]!)}` };
  const unrated = parseIpList(words(connectionRate.exempt));
  if ("problems" in unrated) return exemptProblem("connection_rate", unrated.problems);
  const unguarded = parseIpList(words(loginGuard.exempt));
  if ("problems" in unguarded) return exemptProblem("login_guard", unguarded.problems);
  const rateLimits = { ...connectionRate, addressesMax: RATED_ADDRESSES_MAX };
  const guardLimits = { ...loginGuard, addressesMax: GUARDED_ADDRESSES_MAX };
  const rates = new ConnectionRates(rateLimits, unrated.set);
  return { rules, rates, guard: new LoginGuard(guardLimits, unguarded.set) };
}

function exemptProblem(table: string, [first]: readonly { problem: string }[]) {
  return { problem: `${table}.exempt: ${first!.problem}` };
}
