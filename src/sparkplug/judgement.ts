/** What the rules say about the fact that is being judged. */
import type { Penalty } from "./overrides.ts";
import type { RuleAction } from "./rule.ts";
import { FIXES, type RuleName } from "./rules.ts";
import type { ViolationLog } from "./violation_log.ts";

/** What to do with a PUBLISH. */
export interface PublishVerdict {
  readonly action: "route" | "drop" | "close";
  /** RETAIN to route with; null leaves it. */
  readonly retain: boolean | null;
  /** QoS to route with; null leaves it. */
  readonly qos: 0 | 1 | null;
}

/** Nothing to object to: by far the most frequent verdict, one object for all. */
export const ROUTE: PublishVerdict = { action: "route", retain: null, qos: null };
const DROP: PublishVerdict = { action: "drop", retain: null, qos: null };
const CLOSE: PublishVerdict = { action: "close", retain: null, qos: null };

const STRENGTH: Readonly<Record<RuleAction, number>> = { count: 0, fix: 1, drop: 2, close: 3 };

/** What is wrong, in words; a function where the words are worth making only if they are kept. */
type Detail = string | (() => string);

/** Collects breaches; one object serves one fact after the other. */
export class Judgement {
  #penalties: Readonly<Record<RuleName, Penalty>>;
  readonly #log: ViolationLog;
  #strength = 0;
  #retain: boolean | null = null;
  #qos: 0 | 1 | null = null;
  #subject = "";
  #clientIdentifier = "";
  #nowMs = 0;
  /** Whether something was broken that only a rebirth puts right. */
  rebirth = false;
  /** Rules broken by this fact, for the recorder. */
  readonly broken: RuleName[] = [];

  constructor(penalties: Readonly<Record<RuleName, Penalty>>, log: ViolationLog) {
    this.#penalties = penalties;
    this.#log = log;
  }

  /** What breaches lead to from now on. */
  set penalties(penalties: Readonly<Record<RuleName, Penalty>>) {
    this.#penalties = penalties;
  }

  /** Begins with another fact. */
  begin(subject: string, clientIdentifier: string, nowMs: number): void {
    this.#subject = subject;
    this.#clientIdentifier = clientIdentifier;
    this.#nowMs = nowMs;
    this.#strength = 0;
    this.#retain = null;
    this.#qos = null;
    this.rebirth = false;
    if (this.broken.length > 0) this.broken.length = 0;
  }

  /** Whether a rule is not off; for those whose check costs something. */
  watches(name: RuleName): boolean {
    return !this.#penalties[name].off;
  }

  /** Notes a breach. */
  breach(name: RuleName, detail: Detail): void {
    const penalty = this.#penalties[name];
    if (penalty.off) return;
    if (this.#log.count(this.#subject, name, this.#nowMs)) {
      this.#log.keep({
        rule: name,
        subject: this.#subject,
        clientIdentifier: this.#clientIdentifier,
        detail: typeof detail === "string" ? detail : detail(),
        timeMs: this.#nowMs,
      });
    }
    this.broken.push(name);
    this.rebirth ||= penalty.rebirth;
    this.#strength = Math.max(this.#strength, STRENGTH[penalty.action]);
    if (penalty.action !== "fix") return;
    const fix = FIXES[name]!;
    this.#retain = fix.retain ?? this.#retain;
    this.#qos = fix.qos ?? this.#qos;
  }

  /** Whether the message is not to be routed, or the CONNECT to be refused. */
  get refuses(): boolean {
    return this.#strength >= STRENGTH.drop;
  }

  /** What to do with the PUBLISH that was judged. */
  verdict(): PublishVerdict {
    if (this.#strength === STRENGTH.close) return CLOSE;
    if (this.#strength === STRENGTH.drop) return DROP;
    if (this.#strength === 0) return ROUTE;
    return { action: "route", retain: this.#retain, qos: this.#qos };
  }

  /** What `fix` changes in a Will. */
  get fixes(): { readonly retain: boolean | null; readonly qos: 0 | 1 | null } {
    return { retain: this.#retain, qos: this.#qos };
  }
}
