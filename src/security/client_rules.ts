/** The rules of an access file as they are for one client. */
import {
  asTopicFilter,
  asTopicName,
  type ProtocolError,
  type Qos,
  type TopicFilter,
  type TopicName,
} from "../mqtt/mod.ts";
import {
  type AccessRule,
  type Operation,
  OPERATION_BIT,
  type SubstitutedValues,
  usableValue,
} from "./access_rule.ts";
import type { KnownVerdicts, VerdictMemory } from "./_verdict_memory.ts";
import { coversFilter, type RuleQuery, RuleTrie } from "./rule_trie.ts";

/** In what is known of a topic: the operations that were judged, and so far above, those allowed. */
const ALLOWED_SHIFT = 3;

/** Who a client is, as far as it has been verified. */
export interface ClientIdentity {
  /** The user name whose password was right or that the certificate gave; null for anonymous. */
  readonly userName: string | null;
  /** The client chooses it itself, unless `security.client_identifier` binds it to the user. */
  readonly clientIdentifier: string;
  /** What the TLS layer takes from the client certificate; null without one. */
  readonly certificate: string | null;
}

/** The rules of one principal of an access file. */
export interface PrincipalRules {
  readonly allow: RuleTrie;
  readonly deny: RuleTrie;
  /** The same in the order of the file, for explanations. */
  readonly rules: readonly AccessRule[];
}

/** A verdict with the rule that made it. */
export interface AccessExplanation {
  readonly allowed: boolean;
  /** Null where no rule allows it, or none allows all that a Topic Filter matches. */
  readonly rule: AccessRule | null;
  /** The same for people: `denied by line 12: deny read secret/# (everyone)`. */
  readonly reason: string;
}

/** The topic of a question about an operation: a Topic Filter to subscribe, else a Topic Name. */
export function checkTopic(
  operation: Operation,
  topic: string,
): TopicName | TopicFilter | ProtocolError {
  return operation === "subscribe" ? asTopicFilter(topic) : asTopicName(topic);
}

/** What one client may do. Made once for a connection; a reload makes new ones. */
export class ClientRules {
  readonly #allow: readonly RuleTrie[];
  readonly #deny: readonly RuleTrie[];
  readonly #principals: readonly PrincipalRules[];
  readonly #values: SubstitutedValues;
  readonly #memory: VerdictMemory;
  readonly #known: KnownVerdicts = new Map();

  constructor(
    principals: readonly PrincipalRules[],
    { userName, clientIdentifier }: ClientIdentity,
    memory: VerdictMemory,
  ) {
    this.#memory = memory;
    this.#principals = principals;
    this.#allow = principals.map(({ allow }) => allow).filter(({ empty }) => !empty);
    this.#deny = principals.map(({ deny }) => deny).filter(({ empty }) => !empty);
    this.#values = { u: usableValue(userName), c: usableValue(clientIdentifier) };
  }

  /** Whether it may publish on this topic. */
  publish(topic: TopicName): boolean {
    return this.#permits(topic, OPERATION_BIT.publish);
  }

  /** Whether a message on this topic may be delivered to it. */
  read(topic: TopicName): boolean {
    return this.#permits(topic, OPERATION_BIT.read);
  }

  /**
   * The QoS granted to a subscription, or null to refuse it. It is granted if every topic that the
   * filter matches is allowed: together the rules that allow cover it, and no rule that denies
   * overlaps it.
   */
  subscribe(filter: TopicFilter, qos: Qos): Qos | null {
    return this.#permitsAll(filter, OPERATION_BIT.subscribe) ? qos : null;
  }

  /** The verdict on an operation, and the line that decided it; slow, for people. */
  explain(operation: Operation, topic: TopicName | TopicFilter): AccessExplanation {
    const query = this.#query(topic, OPERATION_BIT[operation]);
    const rules = this.#principals.flatMap((principal) => principal.rules)
      .filter(({ operations }) => (operations & query.operation) !== 0)
      .sort((a, b) => a.line - b.line);
    const denying = rules.find((rule) =>
      rule.action === "deny" && new RuleTrie("deny", [rule]).overlaps(query)
    );
    if (denying !== undefined) return explanation(false, denying);
    const allowing = rules.filter(({ action }) => action === "allow")
      .map((rule) => ({ rule, trie: new RuleTrie("allow", [rule]) }));
    const covering = allowing.find(({ trie }) => coversFilter([trie], query));
    if (covering !== undefined) return explanation(true, covering.rule);
    if (coversFilter(this.#allow, query)) {
      return explanation(true, allowing.find(({ trie }) => trie.overlaps(query))!.rule);
    }
    const part = allowing.some(({ trie }) => trie.overlaps(query));
    const reason = part ? "no rule allows all that the filter matches" : "no rule allows it";
    return { allowed: false, rule: null, reason: `denied: ${reason}` };
  }

  #permits(topic: TopicName, operation: number): boolean {
    const known = this.#known.get(topic) ?? 0;
    if ((known & operation) !== 0) return (known & (operation << ALLOWED_SHIFT)) !== 0;
    const permitted = this.#judge(topic, operation);
    const verdict = operation | (permitted ? operation << ALLOWED_SHIFT : 0);
    this.#memory.keep(this.#known, topic, known | verdict);
    return permitted;
  }

  #judge(topic: TopicName, operation: number): boolean {
    const query = this.#query(topic, operation);
    for (const trie of this.#deny) if (trie.overlaps(query)) return false;
    for (const trie of this.#allow) if (trie.overlaps(query)) return true;
    return false;
  }

  #permitsAll(filter: TopicFilter, operation: number): boolean {
    const query = this.#query(filter, operation);
    if (!coversFilter(this.#allow, query)) return false;
    return !this.#deny.some((trie) => trie.overlaps(query));
  }

  #query(topic: TopicName | TopicFilter, operation: number): RuleQuery {
    return { levels: topic.split("/"), operation, values: this.#values };
  }
}

function explanation(allowed: boolean, rule: AccessRule): AccessExplanation {
  const verdict = allowed ? "allowed" : "denied";
  const reason = `${verdict} by line ${rule.line}: ${rule.text} (${rule.whom})`;
  return { allowed, rule, reason };
}
