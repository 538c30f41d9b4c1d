/** Whether the broker lives, and whether it is of use. */
import type { Route } from "./http.ts";
import { problem } from "./problem.ts";

/** What the broker says of itself. */
export interface ReadinessFacts {
  /** Whether its listeners are bound, and it is not about to end. */
  readonly accepting: boolean;
  /** Whether new clients are turned away because the memory is short. */
  readonly refusesConnections: boolean;
  /** Why nothing can be written at present; null if it can, as far as is known. */
  readonly storeTrouble: string | null;
}

/** The reason why the broker is not ready; null if it is. */
export function unreadiness(facts: ReadinessFacts): string | null {
  if (!facts.accepting) return "it does not accept connections";
  if (facts.storeTrouble !== null) return `the store is in trouble: ${facts.storeTrouble}`;
  return facts.refusesConnections ? "the memory is short: new clients are refused" : null;
}

/** `/healthz`, which answers as long as the event loop turns, and `/readyz`. */
export function healthRoutes(facts: () => ReadinessFacts): readonly Route[] {
  return [
    { method: "GET", path: "/healthz", handle: () => Response.json({ status: "alive" }) },
    {
      method: "GET",
      path: "/readyz",
      handle: () => {
        const reason = unreadiness(facts());
        return reason === null ? Response.json({ status: "ready" }) : problem(503, reason);
      },
    },
  ];
}
