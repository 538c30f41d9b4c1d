/** Whom the brute-force guard keeps out, and the line of the log that says so. */
import { parseIpAddress } from "./ip_address.ts";
import { parseIpList } from "./ip_rules.ts";
import { LoginGuard, type LoginGuardLimits } from "./login_guard.ts";
import { formatRefusal, type RefusalReason } from "./refusal_line.ts";

/** Addresses that are remembered; see `LoginGuard` for what becomes of more. */
const ADDRESSES_MAX = 4_096;

/** How the guard works. */
export interface FrontDoorSettings extends Omit<LoginGuardLimits, "addressesMax"> {
  /** Addresses and networks that are never locked out, with blanks between. */
  readonly exempt: string;
}

/** A client at the door. */
export interface Visitor {
  /** IP address without its port. */
  readonly host: string;
  readonly listener: string;
  readonly clientIdentifier?: string;
  readonly userName?: string | null;
}

/** Lets connections in, or not, by how the logins from their addresses have gone. */
export class FrontDoor {
  readonly #guard: LoginGuard;
  /** Writes a warning to the log. */
  readonly #say: (text: string) => void;

  private constructor(guard: LoginGuard, say: (text: string) => void) {
    this.#guard = guard;
    this.#say = say;
  }

  /** Makes a guard, or says what is wrong with its list of addresses. */
  static open(
    settings: FrontDoorSettings,
    say: (text: string) => void,
  ): FrontDoor | { problem: string } {
    const exempt = parseIpList(settings.exempt.split(/\s+/).filter((text) => text !== ""));
    if ("problems" in exempt) {
      return { problem: `login_guard.exempt: ${exempt.problems[0]!.problem}` };
    }
    const limits = { ...settings, addressesMax: ADDRESSES_MAX };
    return new FrontDoor(new LoginGuard(limits, exempt.set), say);
  }

  /** Whether this address may try; to be asked before anything costs. */
  admits(visitor: Visitor, nowMs: number): boolean {
    const address = parseIpAddress(visitor.host);
    if ("problem" in address) return true; // a socket without an IP address
    const verdict = this.#guard.allowed(address, nowMs);
    if (verdict.allowed) return true;
    this.#refused("locked-out", visitor, verdict.untilMs - nowMs);
    return false;
  }

  /** A password was wrong. */
  failed(visitor: Visitor, nowMs: number): void {
    const address = parseIpAddress(visitor.host);
    if ("problem" in address) return;
    const lockOut = this.#guard.failed(address, nowMs);
    this.#refused("bad-credentials", visitor, lockOut?.lockOutMs);
  }

  /** A password was right. */
  succeeded({ host }: Visitor, nowMs: number): void {
    const address = parseIpAddress(host);
    if (!("problem" in address)) this.#guard.succeeded(address, nowMs);
  }

  #refused(reason: RefusalReason, visitor: Visitor, forMs?: number): void {
    const { host, ...rest } = visitor;
    const address = parseIpAddress(host);
    if ("problem" in address) return;
    this.#say(formatRefusal({ address, reason, ...rest, ...forMs === undefined ? {} : { forMs } }));
  }
}
