/** The access policy of a broker with a password file, an access file, or both. */
import type { Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { AccessRules } from "./access_rules.ts";
import type { BanList } from "./ban_list.ts";
import type { ClientIdentity, ClientRules } from "./client_rules.ts";
import type { PinFile, ShownCertificate } from "./pin_file.ts";
import {
  formatOwner,
  type IdentifierRules,
  maySucceed,
  mayUseIdentifier,
  parseOwner,
} from "./session_owner.ts";

/** A client, as the core knows it; the same object in all questions about one connection. */
export interface PolicyClient {
  readonly origin: { readonly listener: string };
  readonly clientIdentifier: string;
  /** Of the certificate, or as it is claimed. */
  readonly userName?: string | null;
}

/** What a policy is made of. */
export interface SecurityPolicyOptions {
  /** Null allows everything to whoever was let in. */
  readonly rules: AccessRules | null;
  /** Null for none. */
  readonly pins: PinFile | null;
  /** Who is kept out; they come and go. */
  readonly bans: BanList;
  readonly identifiers: IdentifierRules;
  /** Whether there are passwords to be checked. */
  readonly passwords: boolean;
  /** Whether clients without a user name may come in by this listener. */
  anonymous(listener: string): boolean;
  /** What becomes of a publish that no rule allows: it is acknowledged and dropped, or the client is closed. */
  readonly refusedPublish: "drop" | "close";
  /** Differs from that of every other policy of this broker. */
  readonly generation: number;
}

/** CONNACK return codes for those who are not let in. [MQTT-3.1.4-2] */
export const IDENTIFIER_REJECTED = 2;
export const NOT_AUTHORIZED = 5;

/** Who clients are, as far as that was verified, and what they have shown for it. */
export interface KnownClients {
  readonly identities: WeakMap<PolicyClient, ClientIdentity>;
  readonly shown: WeakMap<PolicyClient, ShownCertificate>;
}

/** Whether a client comes in; `ConnectVerdict` of the core says what that means. */
type ConnectVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "refuse"; readonly code: typeof NOT_AUTHORIZED; readonly reason?: "banned" }
  | { readonly kind: "pending" };

/** Whether a client gets the session it asks for; `SessionVerdict` of the core says what that means. */
type SessionVerdict =
  | { readonly kind: "grant"; readonly owner: string }
  | {
    readonly kind: "refuse";
    readonly code: typeof IDENTIFIER_REJECTED | typeof NOT_AUTHORIZED;
    readonly reason: "foreignSession" | "foreignIdentifier" | "unpinned";
  };

/** A client of which nothing was verified. */
const NOBODY = { userName: null, certificate: null };

/** Decides by rules and verified identities. Never changes; a reload makes another one. */
export class SecurityPolicy {
  readonly generation: number;
  readonly read: ((client: PolicyClient, topic: TopicName) => boolean) | null;
  readonly #options: SecurityPolicyOptions;
  /** Shared with the policies before and after. */
  readonly #clients: KnownClients;
  readonly #rules = new WeakMap<PolicyClient, ClientRules>();

  constructor(options: SecurityPolicyOptions, clients: KnownClients) {
    this.generation = options.generation;
    this.#options = options;
    this.#clients = clients;
    this.read = options.rules === null
      ? null
      : (client, topic) => this.#rulesOf(client).read(topic);
  }

  /** Asked at CONNECT; "pending" where a password has to be checked first. */
  connect(
    { userName }: { readonly userName: string | null },
    client: PolicyClient,
  ): ConnectVerdict {
    const { passwords, anonymous, bans } = this.#options;
    // Before any password: to check one costs time, and its answer tells something.
    if (bans.banOf(client) !== null) {
      return { kind: "refuse", code: NOT_AUTHORIZED, reason: "banned" };
    }
    const isCertified = (this.#clients.identities.get(client)?.certificate ?? null) !== null;
    if (!passwords || isCertified) return { kind: "accept" };
    if (userName !== null) return { kind: "pending" };
    if (anonymous(client.origin.listener)) return { kind: "accept" };
    return { kind: "refuse", code: NOT_AUTHORIZED };
  }

  /** Asked when a client is about to get the session of its Client Identifier. */
  session(client: PolicyClient, owner: string): SessionVerdict {
    const { identifiers, pins } = this.#options;
    const { clientIdentifier } = client;
    const identity = this.#clients.identities.get(client) ?? NOBODY;
    if (!mayUseIdentifier(clientIdentifier, identity, identifiers)) {
      return { kind: "refuse", code: IDENTIFIER_REJECTED, reason: "foreignIdentifier" };
    }
    const who = { userName: identity.userName, clientIdentifier };
    if (pins?.permits(who, this.#clients.shown.get(client) ?? null) === false) {
      return { kind: "refuse", code: NOT_AUTHORIZED, reason: "unpinned" };
    }
    if (!maySucceed(owner, identity, identifiers)) {
      return { kind: "refuse", code: IDENTIFIER_REJECTED, reason: "foreignSession" };
    }
    return { kind: "grant", owner: formatOwner(identity) };
  }

  /** Asked for the Will of a client that is gone since before the process began. */
  will(
    { clientIdentifier, owner }: { readonly clientIdentifier: string; readonly owner: string },
    topic: TopicName,
  ): "allow" | "drop" {
    const { rules } = this.#options;
    if (rules === null) return "allow";
    const allowed = rules.for({ ...parseOwner(owner), clientIdentifier }).publish(topic);
    return allowed ? "allow" : "drop";
  }

  /** Asked for each new topic of a connection. */
  publish(client: PolicyClient, topic: TopicName): "allow" | "drop" | "close" {
    const { rules, refusedPublish } = this.#options;
    return rules === null || this.#rulesOf(client).publish(topic) ? "allow" : refusedPublish;
  }

  /** The QoS granted, or null. */
  subscribe(client: PolicyClient, request: { filter: TopicFilter; qos: Qos }): Qos | null {
    const { filter, qos } = request;
    if (this.#options.rules === null) return qos;
    return this.#rulesOf(client).subscribe(filter, qos);
  }

  #rulesOf(client: PolicyClient): ClientRules {
    const known = this.#rules.get(client);
    if (known !== undefined) return known;
    const { clientIdentifier } = client;
    const { userName, certificate } = this.#clients.identities.get(client) ?? NOBODY;
    const rules = this.#options.rules!.for({ userName, clientIdentifier, certificate });
    // Without one, the server has not assigned the Client Identifier yet: they may be others then.
    if (clientIdentifier !== "") this.#rules.set(client, rules);
    return rules;
  }
}
