/** Brings the referee in. */

/** Everything about judging, loaded at the first call: it takes about a megabyte that others save. */
export function loadJudging(): Promise<typeof import("./judging.ts")> {
  return import("./judging.ts");
}
