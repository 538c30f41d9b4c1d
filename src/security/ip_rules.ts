/** Who may connect at all, by address: allow and block lists, asked before anything else. */
import { type IpAddress, type IpProblem } from "./ip_address.ts";
import { type IpNetwork, IpSet, parseIpNetwork } from "./ip_network.ts";

/** Lists as they are written: addresses and networks. */
export interface IpLists {
  /** Only these may connect; nobody is left out if it is empty. */
  readonly allow: readonly string[];
  /** These may not, even if they are allowed. */
  readonly block: readonly string[];
}

/** What is wrong with one entry of a list. */
export interface IpListProblem extends IpProblem {
  readonly list: "allow" | "block";
  /** Position in the list, from 0. */
  readonly index: number;
  readonly text: string;
}

/** What the lists say of an address. */
export type IpVerdict = "allowed" | "blocked" | "not-allowed";

/** Networks of one list, or what is wrong with it. */
export function parseIpList(
  texts: readonly string[],
): { readonly set: IpSet } | { readonly problems: readonly (IpProblem & { index: number })[] } {
  const networks: IpNetwork[] = [];
  const problems: (IpProblem & { index: number })[] = [];
  for (const [index, text] of texts.entries()) {
    const network = parseIpNetwork(text);
    if ("problem" in network) problems.push({ ...network, index });
    else networks.push(network);
  }
  return problems.length > 0 ? { problems } : { set: new IpSet(networks) };
}

/** Allow and block lists, compiled: of one listener, or of all. */
export class IpRules {
  /** Nobody is left out. */
  static readonly OPEN: IpRules = new IpRules(new IpSet([]), new IpSet([]));
  readonly #allow: IpSet;
  readonly #block: IpSet;

  private constructor(allow: IpSet, block: IpSet) {
    this.#allow = allow;
    this.#block = block;
  }

  /** Compiles the lists, or tells everything that is wrong with them. */
  static parse(lists: IpLists): IpRules | { readonly problems: readonly IpListProblem[] } {
    const allow = parseIpList(lists.allow);
    const block = parseIpList(lists.block);
    if ("set" in allow && "set" in block) return new IpRules(allow.set, block.set);
    return { problems: [...named("allow", allow, lists), ...named("block", block, lists)] };
  }

  /** The verdict on one address: a block wins over everything. */
  verdict(address: IpAddress): IpVerdict {
    if (this.#block.has(address)) return "blocked";
    return this.#allow.empty || this.#allow.has(address) ? "allowed" : "not-allowed";
  }
}

/**
 * The verdict of several rules together, such as those of all listeners and those of one: whoever
 * one of them blocks is blocked, and whoever one of them does not allow is not allowed.
 */
export function ipVerdict(rules: readonly IpRules[], address: IpAddress): IpVerdict {
  let worst: IpVerdict = "allowed";
  for (const rule of rules) {
    const verdict = rule.verdict(address);
    if (verdict === "blocked") return verdict;
    if (verdict === "not-allowed") worst = verdict;
  }
  return worst;
}

function named(
  list: "allow" | "block",
  parsed: ReturnType<typeof parseIpList>,
  lists: IpLists,
): IpListProblem[] {
  if ("set" in parsed) return [];
  return parsed.problems.map((problem) => ({
    ...problem,
    list,
    text: lists[list][problem.index] ?? "",
  }));
}
