/** All systems that are proved, those first whose proofs are short. */
import type { System } from "../proofs/system.ts";
import { ANSWERS } from "./answers.ts";
import { CONNECTIONS } from "./connections.ts";
import { EXCHANGE } from "./exchange.ts";
import { GATE } from "./gate.ts";
import { IDENTIFIERS } from "./identifiers.ts";
import { ORDER } from "./order.ts";
import { SESSIONS } from "./sessions.ts";
import { WILLS } from "./wills.ts";

export const SYSTEMS: readonly System[] = [
  ANSWERS,
  CONNECTIONS,
  SESSIONS,
  WILLS,
  IDENTIFIERS,
  GATE,
  ORDER,
  EXCHANGE,
];
