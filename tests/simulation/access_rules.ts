/** Who may publish and subscribe where: as rules that the oracle reads, and as a policy. */
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import type { Dice } from "./dice.ts";

/** One version of the access rules. Everything that is not denied is allowed. */
export interface AccessRules {
  readonly generation: number;
  /** Clients and topics, as `client topic`. */
  readonly deniedPublishes: ReadonlySet<string>;
  /** Clients and filters, as `client filter`. */
  readonly deniedSubscriptions: ReadonlySet<string>;
  /** What becomes of a publish that is denied. */
  readonly denial: "drop" | "close";
}

/** Rules that deny nothing. */
export function openRules(generation: number): AccessRules {
  const nothing: ReadonlySet<string> = new Set();
  return {
    generation,
    deniedPublishes: nothing,
    deniedSubscriptions: nothing,
    denial: "drop",
  };
}

/** Rules that deny some of the pairs. */
export function drawRules(
  dice: Dice,
  generation: number,
  names: { clients: readonly string[]; topics: readonly string[]; filters: readonly string[] },
): AccessRules {
  const share = dice.between(0, 0.25);
  function some(seconds: readonly string[]): ReadonlySet<string> {
    const pairs = names.clients.flatMap((client) => seconds.map((name) => `${client} ${name}`));
    return new Set(pairs.filter(() => dice.chance(share)));
  }
  return {
    generation,
    deniedPublishes: some(names.topics),
    deniedSubscriptions: some(names.filters),
    denial: dice.chance(0.8) ? "drop" : "close",
  };
}

/** Whom the session of a Client Identifier belongs to. */
export function ownerOf(clientIdentifier: string): string {
  return `user ${clientIdentifier}`;
}

/** The rules as the broker asks them. */
export function policyOf(rules: AccessRules): AccessPolicy {
  return {
    ...OPEN_ACCESS,
    generation: rules.generation,
    session: ({ clientIdentifier }) => ({ kind: "grant", owner: ownerOf(clientIdentifier) }),
    publish: ({ clientIdentifier }, topic) =>
      rules.deniedPublishes.has(`${clientIdentifier} ${topic}`) ? rules.denial : "allow",
    subscribe: ({ clientIdentifier }, { filter, qos }) =>
      rules.deniedSubscriptions.has(`${clientIdentifier} ${filter}`) ? null : qos,
  };
}
