/** Shows what the oracle sees, for people who look for the cause of a failure. */
import { ObservedConnection } from "./observed_connection.ts";
import type { Oracle } from "./oracle.ts";
import { SentMessage } from "./sent_message.ts";

/** Facts that say nothing by themselves. */
const SILENT: ReadonlySet<PropertyKey> = new Set(["elapsed", "owed", "received"]);

/** The same oracle, with a line for every fact it is told. */
export function traced(
  oracle: Oracle,
  { print, nowMs }: { print: (line: string) => void; nowMs: () => number },
): Oracle {
  const numbers = new Map<ObservedConnection, number>();
  function show(value: unknown): string {
    if (value instanceof ObservedConnection) {
      if (!numbers.has(value)) numbers.set(value, numbers.size + 1);
      return `${value.client}#${numbers.get(value)}`;
    }
    if (value instanceof SentMessage) return `${value}${value.retain ? " RETAIN" : ""}`;
    if (value instanceof Uint8Array) return new TextDecoder().decode(value).slice(0, 12);
    if (value instanceof Set) return `${value.size} entries`;
    if (typeof value !== "object" || value === null) return String(value);
    const fields = Object.entries(value).map(([name, field]) => `${name}=${show(field)}`);
    return Array.isArray(value) ? value.map(show).join(" ") : fields.join(" ");
  }
  return new Proxy(oracle, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...facts: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, facts);
        const given = result instanceof ObservedConnection ? ` = ${show(result)}` : "";
        if (!SILENT.has(name)) {
          print(`${nowMs().toFixed(2)} ${String(name)} ${facts.map(show).join(" ")}${given}`);
        }
        return result;
      };
    },
  });
}
