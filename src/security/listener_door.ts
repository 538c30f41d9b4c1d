/** The door of one listener: its own lists, and whose word about a peer it takes. */
import { type IpAddress } from "./ip_address.ts";
import type { IpSet } from "./ip_network.ts";
import { type IpListProblem, IpRules, parseIpList } from "./ip_rules.ts";

/** What the configuration says of a listener's door; lists with blanks between. */
export interface ListenerDoorSettings {
  readonly ipAllow: string;
  readonly ipBlock: string;
  readonly trustedProxies: string;
}

/** The lists of a listener, compiled. */
export class ListenerDoor {
  readonly rules: IpRules;
  readonly #proxies: IpSet;

  private constructor(rules: IpRules, proxies: IpSet) {
    this.rules = rules;
    this.#proxies = proxies;
  }

  /** Compiles the lists, or says what is wrong with the first that is not right. */
  static open(settings: ListenerDoorSettings): ListenerDoor | { problem: string } {
    const { ipAllow, ipBlock, trustedProxies } = settings;
    const rules = IpRules.parse({ allow: words(ipAllow), block: words(ipBlock) });
    if ("problems" in rules) return { problem: `ip_${describe(rules.problems[0]!)}` };
    const proxies = parseIpList(words(trustedProxies));
    if ("set" in proxies) return new ListenerDoor(rules, proxies.set);
    return { problem: `trusted_proxies: ${proxies.problems[0]!.problem}` };
  }

  /** Whether the PROXY header of this peer is believed. */
  trusts(address: IpAddress): boolean {
    return this.#proxies.has(address);
  }
}

/** The entries of a list that was written with blanks between. */
export function words(list: string): string[] {
  return list.split(/\s+/).filter((word) => word !== "");
}

/** What is wrong with an entry of an allow or block list. */
export function describe({ list, text, problem }: IpListProblem): string {
  return `${list}: ${text}: ${problem}`;
}
