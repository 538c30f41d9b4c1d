/** What one line of an access file says. */

/** What a client does with a topic; `read` is the delivery of a message to it. */
export type Operation = "publish" | "subscribe" | "read";

/** Every operation. */
export const OPERATIONS: readonly Operation[] = ["publish", "subscribe", "read"];

/** Operations as bits, for rules that hold for several. */
export const OPERATION_BIT: Readonly<Record<Operation, number>> = {
  publish: 1,
  subscribe: 2,
  read: 4,
};

/** What a rule does. */
export type RuleAction = "allow" | "deny";

/** A level of a rule's filter that holds `%u` or `%c`, once. */
export interface LevelTemplate {
  readonly before: string;
  readonly variable: "u" | "c";
  readonly after: string;
  /** Whether the substituted value stands at the very beginning of the filter. */
  readonly opensFilter: boolean;
}

/** A level of a rule's filter: text, `+`, `#`, or text with a substitution. */
export type RuleLevel = string | LevelTemplate;

/** A rule, with what people have to know to find it again. */
export interface AccessRule {
  readonly action: RuleAction;
  /** The operations it is about, as bits. */
  readonly operations: number;
  readonly levels: readonly RuleLevel[];
  /** The line of the file it stands in; several rules of one template share it. */
  readonly line: number;
  /** The rule in the words of the file: `allow publish plant/#`. */
  readonly text: string;
  /** Whom it is for, in the words of the file: `group operators`. */
  readonly whom: string;
}

/** What `%u` and `%c` stand for; null where the value must not be used. */
export interface SubstitutedValues {
  readonly u: string | null;
  readonly c: string | null;
}

/** A value as it may be substituted: none that is empty or would make levels or wildcards. */
export function usableValue(value: string | null): string | null {
  return value === null || value === "" || /[+#/]/.test(value) ? null : value;
}
