/** What a rule is. The tables beside this file hold all of them. */

/** The identifier of a statement of the specification, in full. */
export type TckId = `tck-id-${string}`;

/**
 * `fatal`: the session cannot work as Sparkplug; `error`: misleads hosts; `warn`: often broken in the
 * field without harm; `info`: recommended, or found by a heuristic.
 */
export type Severity = "fatal" | "error" | "warn" | "info";

/**
 * What strict mode does: `count` routes; `fix` routes with retain or QoS put right; `drop`
 * acknowledges and does not route, and refuses a CONNECT; `close` ends the connection besides.
 */
export type RuleAction = "count" | "fix" | "drop" | "close";

/** The packet on which a breach shows; `CLOSE` is the end of a connection, `TIME` its passing. */
export type RulePlace =
  | "CONNECT"
  | "SUBSCRIBE"
  | "CLOSE"
  | "TIME"
  | "NBIRTH"
  | "NDATA"
  | "NDEATH"
  | "NCMD"
  | "DBIRTH"
  | "DDATA"
  | "DDEATH"
  | "DCMD"
  | "STATE"
  | "PUBLISH";

/** One rule: several statements may demand the same. */
export interface Rule {
  readonly ids: readonly TckId[];
  readonly severity: Severity;
  /** In strict mode; in monitor mode everything is counted only. */
  readonly action: RuleAction;
  /** Whether only a rebirth puts it right. */
  readonly rebirth: boolean;
  readonly on: readonly RulePlace[];
  /** What is demanded, for people. */
  readonly says: string;
}

/** How a rule is written in the tables: identifiers without their common beginning. */
interface RuleText {
  readonly ids: string;
  readonly on: string;
  readonly says: string;
  readonly strict?: RuleAction | "count, rebirth" | "drop, rebirth";
}

/** Makes a rule of its text; `ids` and `on` are separated by blanks. */
export function rule(severity: Severity, text: RuleText): Rule {
  const [action, rebirth] = (text.strict ?? "count").split(", ");
  return {
    ids: words(text.ids).map((id) => `tck-id-${id}` as const),
    severity,
    action: action as RuleAction,
    rebirth: rebirth !== undefined,
    on: words(text.on) as RulePlace[],
    says: text.says,
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
