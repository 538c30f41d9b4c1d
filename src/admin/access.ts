/** Who may ask for what: tokens and client certificates, their roles, and how often. */
import { createHash } from "node:crypto";
import {
  AdminTokens,
  type Admitted,
  hostKey,
  type IpAddress,
  IpSet,
  LoginGuard,
  makeRate,
  parseIpAddress,
  type Role,
  roleIncludes,
  TokenBucket,
} from "../security/mod.ts";
import type { Caller, HttpPeer } from "./caller.ts";
import { problem } from "./problem.ts";

/** Longest token that is looked at, in characters. */
const TOKEN_LENGTH_MAX = 1_024;
const BEARER = /^Bearer +(?<token>[!-~]+) *$/i;
/** So many wrong tokens of one address are answered; then its unknown ones have to wait. */
const GUARD = {
  failuresMax: 10,
  windowMs: 60_000,
  lockOutMs: 10_000,
  lockOutMsMax: 600_000,
  addressesMax: 1_024,
};
/** Who has asked from where of late: wrong tokens of a neighbour do not lock these out. */
const KNOWN_MAX = 1_024;
/** Names with a rate of their own; there are not more in a tokens file, but files change. */
const RATES_MAX = 2_048;
/** What may come at once, of what may come in a second. */
const BURST_S = 4;

/** Why a request is refused, and who it was, as far as that is known. */
export interface Refused {
  readonly refusal: Response;
  readonly actor: string | null;
}

/** What lets callers in besides the file. */
export interface AccessOptions {
  /** Whether there is a tokens file. */
  readonly hasTokens: boolean;
  /** Whether the listener asks for client certificates. */
  readonly asksCertificates: boolean;
  /** Requests of one name in a second; 0 is no limit. */
  readonly requestsPerSecond: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Decides for each request. */
export class AdminAccess {
  readonly #options: AccessOptions;
  readonly #guard = new LoginGuard(GUARD, new IpSet([]));
  readonly #known = new Map<string, true>();
  readonly #rates = new Map<string, TokenBucket>();
  /** Of the tokens of callers, to look for them in another file. */
  readonly #hashes = new WeakMap<Caller, Uint8Array>();
  /** The tokens and certificates; another file may come in its place. */
  tokens: AdminTokens = AdminTokens.none();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Whether anything is configured that lets callers in. */
  get isGuarded(): boolean {
    return this.#options.hasTokens || this.#options.asksCertificates;
  }

  /** Who asks, if he may: he has this role or one above. */
  admit(request: Request, peer: HttpPeer, role: Role): Caller | Refused {
    const found = this.#identify(request, peer);
    if ("refusal" in found) return found;
    const { name: actor } = found;
    const waitMs = this.#rate(found)?.take(1, this.#options.nowMs()) ?? 0;
    if (waitMs > 0) return { refusal: tooMany("too many requests", waitMs), actor };
    return roleIncludes(found.role, role) ? found : tooLow(found, role);
  }

  /** Why this is nobody who may, null for who may; a wrong token counts as one, a request not yet. */
  refusal(request: Request, peer: HttpPeer, role: Role): Refused | null {
    const found = this.#identify(request, peer);
    if ("refusal" in found) return found;
    return roleIncludes(found.role, role) ? null : tooLow(found, role);
  }

  /** Whether a caller who was let in would be now, after another file has come. */
  stillAdmits(caller: Caller): boolean {
    const { name, role, by } = caller;
    if (by === "nothing") return true;
    const sha256 = this.#hashes.get(caller);
    const now = sha256 === undefined ? this.tokens.ofCertificate(name) : this.tokens.ofHash(sha256);
    return now !== null && roleIncludes(now.role, role);
  }

  #identify(request: Request, peer: HttpPeer): Caller | Refused {
    const header = request.headers.get("authorization");
    if (header === null) return this.#ofCertificate(peer);
    const token = tokenOf(header);
    if (token === undefined) {
      return this.#unauthorized("Authorization holds no bearer token");
    }
    const nowMs = this.#options.nowMs();
    const address = ipOf(peer);
    const sha256 = sha256Of(token);
    const admitted = this.tokens.ofHash(sha256);
    const place = address === null ? "" : `${hostKey(address)} ${admitted?.name}`;
    const verdict = address === null ? null : this.#guard.allowed(address, nowMs);
    const isKnown = admitted !== null && this.#known.has(place);
    if (verdict?.allowed === false && !isKnown) {
      const refusal = tooMany("too many wrong tokens from this address", verdict.untilMs - nowMs);
      return { refusal, actor: null };
    }
    if (admitted === null) {
      if (address !== null) this.#guard.failed(address, nowMs);
      return this.#unauthorized("the token is not right");
    }
    this.#remember(place);
    const { name, role } = admitted;
    const caller: Caller = { name, role, by: "token", address: peer.address };
    this.#hashes.set(caller, sha256);
    return caller;
  }

  #ofCertificate({ certificate, address }: HttpPeer): Caller | Refused {
    if (certificate === null) return this.#unauthorized("a bearer token is needed");
    const admitted: Admitted | null = this.tokens.ofCertificate(certificate);
    if (admitted !== null) return { ...admitted, by: "certificate", address };
    const detail = "the client certificate is good, but it has no role: add a line " +
      `"cert:${certificate}:read" to the file of admin.tokens_file`;
    return { refusal: problem(403, detail), actor: certificate };
  }

  #unauthorized(why: string): Refused {
    const { hasTokens, asksCertificates } = this.#options;
    const advice = hasTokens
      ? ""
      : ": nobody is let in: make a token with `relayq admin token NAME --role ROLE --file FILE` " +
        `and set admin.tokens_file${
          asksCertificates ? ", which also gives certificates a role" : ""
        }`;
    const headers = { "www-authenticate": 'Bearer realm="relayq"' };
    return { refusal: problem(401, why + advice, { headers }), actor: null };
  }

  #rate({ name, by }: Caller): TokenBucket | null {
    const { requestsPerSecond } = this.#options;
    const key = `${by} ${name}`;
    const known = this.#rates.get(key);
    if (known !== undefined) return known;
    const rate = makeRate(requestsPerSecond, requestsPerSecond * BURST_S);
    if (rate === null) return null;
    if (this.#rates.size >= RATES_MAX) this.#rates.clear();
    const bucket = new TokenBucket(rate);
    this.#rates.set(key, bucket);
    return bucket;
  }

  #remember(place: string): void {
    if (place === "" || this.#known.has(place)) return;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(place, true);
  }
}

function tooLow({ name: actor, role: own }: Caller, role: Role): Refused {
  const detail = `the role ${role} is needed, and ${actor} has the role ${own}`;
  return { refusal: problem(403, detail), actor };
}

function tokenOf(header: string): string | undefined {
  const token = BEARER.exec(header)?.groups?.["token"];
  return token !== undefined && token.length <= TOKEN_LENGTH_MAX ? token : undefined;
}

function sha256Of(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function ipOf({ address }: HttpPeer): IpAddress | null {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const ip = parseIpAddress(host);
  return "problem" in ip ? null : ip;
}

function tooMany(why: string, waitMs: number): Response {
  const waitS = Number.isFinite(waitMs) ? Math.max(1, Math.ceil(waitMs / 1000)) : 1;
  const headers = { "retry-after": String(waitS) };
  return problem(429, `${why}: try again in ${waitS} s`, { headers });
}
