/** Breaches of Sparkplug's rules as lines of the log, not more than somebody can read. */
import { quote } from "./security/mod.ts";
import type { LogLevel } from "./system/mod.ts";

/** A breach, as the referee keeps it. */
export interface LoggedBreach {
  readonly rule: string;
  readonly subject: string;
  readonly clientIdentifier: string;
  readonly detail: string;
}

/** What a line says of a rule. */
export interface LoggedRule {
  readonly ids: readonly string[];
  readonly severity: "fatal" | "error" | "warn" | "info";
}

/** Of one rule and Edge Node a line a minute. */
const AGAIN_MS = 60_000;
const LINES_PER_ROUND_MAX = 20;
/** Rules and Edge Nodes that are remembered. */
const REMEMBERED_MAX = 4096;
const LEVELS: Readonly<Record<LoggedRule["severity"], LogLevel>> = {
  fatal: "error",
  error: "warn",
  warn: "info",
  info: "debug",
};

/** Makes the lines. */
export class BreachLines {
  readonly #say: (level: LogLevel, text: string) => void;
  readonly #rules: Readonly<Record<string, LoggedRule>>;
  /** When a rule and Edge Node had a line, and how many breaches had none since. */
  readonly #said = new Map<string, { atMs: number; silent: number }>();

  constructor(
    rules: Readonly<Record<string, LoggedRule>>,
    say: (level: LogLevel, text: string) => void,
  ) {
    this.#rules = rules;
    this.#say = say;
  }

  /** Writes what there was since the last round; `others` more were not kept. */
  round(breaches: readonly LoggedBreach[], others: number, nowMs: number): void {
    let lines = 0;
    let unsaid = others;
    for (const breach of breaches) {
      const key = `${breach.rule} ${breach.subject}`;
      const known = this.#said.get(key);
      if (known !== undefined && nowMs - known.atMs < AGAIN_MS) {
        known.silent++;
        continue;
      }
      if (lines >= LINES_PER_ROUND_MAX) {
        unsaid++;
        continue;
      }
      lines++;
      this.#line(breach, known?.silent ?? 0);
      this.#said.delete(key);
      if (this.#said.size >= REMEMBERED_MAX) this.#forgetOldest();
      this.#said.set(key, { atMs: nowMs, silent: 0 });
    }
    if (unsaid > 0) this.#say("warn", `sparkplug: ${unsaid} further breaches, see $SYS`);
  }

  #line({ rule, subject, clientIdentifier, detail }: LoggedBreach, silent: number): void {
    const { ids, severity } = this.#rules[rule]!;
    const about = subject === "" ? "" : ` node=${quote(subject)}`;
    const again = silent === 0 ? "" : `, ${silent} more since the last line`;
    this.#say(
      LEVELS[severity],
      `sparkplug ${severity}: ${ids.join(" ")}:${about} client=${quote(clientIdentifier)} ` +
        `${quote(detail)}${again}`,
    );
  }

  #forgetOldest(): void {
    for (const key of this.#said.keys()) {
      this.#said.delete(key);
      return;
    }
  }
}
