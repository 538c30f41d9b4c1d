/** Looks at what a broker depends on, and says in plain words what to fix. */
export { examine } from "./examine.ts";
export { type Finding, type FindingLevel } from "./finding.ts";
