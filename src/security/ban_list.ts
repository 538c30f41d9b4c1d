/** Who is kept out for a while or for good, by the word of an operator. */
import { createHash } from "node:crypto";
import { compareIpAddresses, formatIpAddress, type IpAddress } from "./ip_address.ts";
import { type IpNetwork, IpSet, parseIpNetwork } from "./ip_network.ts";
import { Visitor } from "./visitor.ts";

/** What a ban goes by. */
export const BAN_KINDS = ["client_id", "user", "address"] as const;
/** One of them. */
export type BanKind = typeof BAN_KINDS[number];

/** Bans that there may be: each connection is held against them. */
const BANS_MAX = 10_000;
/** Characters of all values together: each change writes the file, and all of it is in memory. */
const CHARACTERS_MAX = 4_194_304;
/** Characters of a value: those of a Client Identifier. */
export const BAN_VALUE_LENGTH_MAX = 65_535;

/** One ban. */
export interface Ban {
  /** Of kind and value: whoever is banned again has the same. */
  readonly id: string;
  readonly kind: BanKind;
  /** A Client Identifier, a user name, or an IP address or network. */
  readonly value: string;
  /** On the wall clock, in ms since 1970; null for good. */
  readonly untilMs: number | null;
  readonly sinceMs: number;
  /** For people; may be empty. */
  readonly reason: string;
  /** Who wanted it. */
  readonly by: string;
}

/** Somebody who asks to be let in. */
export interface BanCandidate {
  readonly clientIdentifier: string;
  /** Of the certificate, or as it is claimed: nobody gains by the name of somebody banned. */
  readonly userName?: string | null;
  /** One of ours is a `Visitor`, who knows the address. */
  readonly origin: object;
}

interface NetworkBan {
  readonly network: IpNetwork;
  readonly ban: Ban;
}

/** The bans that hold. */
export class BanList {
  /** By identifier. */
  readonly #bans = new Map<string, Ban>();
  readonly #clients = new Map<string, Ban>();
  readonly #users = new Map<string, Ban>();
  readonly #networks = new Map<string, NetworkBan>();
  /** Of all networks; null since they have changed. */
  #addresses: IpSet | null = null;
  #characters = 0;
  /** When the first one ends. */
  #nextEndMs = Infinity;

  /** All that hold, in the order in which they came. */
  values(): readonly Ban[] {
    return [...this.#bans.values()];
  }

  /** One of them. */
  get(id: string): Ban | undefined {
    return this.#bans.get(id);
  }

  /** Adds one, in the place of that of the same kind and value; gives why it cannot. */
  add(ban: Ban): { readonly problem: string } | null {
    const network = ban.kind === "address" ? parseIpNetwork(ban.value) : null;
    if (network !== null && "problem" in network) return network;
    const before = this.#bans.get(ban.id);
    if (before === undefined && this.#bans.size >= BANS_MAX) {
      return { problem: `there are ${BANS_MAX} bans already` };
    }
    const more = ban.value.length - (before?.value.length ?? 0);
    if (more > 0 && this.#characters + more > CHARACTERS_MAX) {
      return { problem: `the values of all bans have at most ${CHARACTERS_MAX} characters` };
    }
    this.remove(ban.id);
    this.#bans.set(ban.id, ban);
    this.#characters += ban.value.length;
    if (network !== null) {
      this.#networks.set(ban.id, { network, ban });
      this.#addresses = null;
    } else (ban.kind === "user" ? this.#users : this.#clients).set(ban.value, ban);
    this.#nextEndMs = Math.min(this.#nextEndMs, ban.untilMs ?? Infinity);
    return null;
  }

  /** Ends one; gives it, or undefined where there was none. */
  remove(id: string): Ban | undefined {
    const ban = this.#bans.get(id);
    if (ban === undefined) return undefined;
    this.#bans.delete(id);
    this.#characters -= ban.value.length;
    if (ban.kind === "user") this.#users.delete(ban.value);
    else if (ban.kind === "client_id") this.#clients.delete(ban.value);
    else {
      this.#networks.delete(id);
      this.#addresses = null;
    }
    return ban;
  }

  /** Time passed: gives the bans that have ended by that. */
  expire(wallMs: number): readonly Ban[] {
    if (wallMs < this.#nextEndMs) return [];
    const ended = this.values().filter(({ untilMs }) => untilMs !== null && untilMs <= wallMs);
    for (const { id } of ended) this.remove(id);
    this.#nextEndMs = this.values().reduce((a, { untilMs }) => Math.min(a, untilMs ?? a), Infinity);
    return ended;
  }

  /** The ban that keeps somebody out; null if none does. */
  banOf({ clientIdentifier, userName, origin }: BanCandidate): Ban | null {
    if (this.#bans.size === 0) return null;
    const user = userName ?? null;
    return this.#clients.get(clientIdentifier) ??
      (user === null ? undefined : this.#users.get(user)) ??
      (origin instanceof Visitor ? this.#banOfAddress(origin.address) : null);
  }

  #banOfAddress(address: IpAddress): Ban | null {
    // Once for all changes since: many bans begin or end in one turn.
    this.#addresses ??= new IpSet(this.#networks.values().map(({ network }) => network).toArray());
    if (!this.#addresses.has(address)) return null;
    const found = this.#networks.values().find(({ network: { first, last } }) =>
      first.version === address.version && compareIpAddresses(first, address) <= 0 &&
      compareIpAddresses(address, last) <= 0
    );
    return found?.ban ?? null;
  }
}

/** The identifier of a ban, or why there can be none: each spelling of an address has the same. */
export function banId(kind: BanKind, value: string): string | { readonly problem: string } {
  let named = value;
  if (kind === "address") {
    const network = parseIpNetwork(value);
    if ("problem" in network) return { problem: `${value}: ${network.problem}` };
    named = `${formatIpAddress(network.first)} ${formatIpAddress(network.last)}`;
  }
  return createHash("sha256").update(`${kind} ${named}`).digest("hex").slice(0, 16);
}
