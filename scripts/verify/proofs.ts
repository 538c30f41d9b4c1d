/**
 * The section "proofs": every claim of every system by induction, that each system can do what it
 * speaks of, and that broken tables and broken code round them are noticed.
 */
import { say } from "../bench/terminal.ts";
import { askCvc5, cvc5Version } from "./proofs/cvc5.ts";
import { Machine } from "./proofs/machine.ts";
import {
  type MutantVerdict,
  runOneMutantEach,
  runSystemMutants,
  runTableMutants,
} from "./proofs/mutation_run.ts";
import { proofText, prove } from "./proofs/prove.ts";
import { search } from "./proofs/search.ts";
import { readSystem, type System } from "./proofs/system.ts";
import { SHIPPED_TABLES } from "./proofs/table.ts";
import { z3Version } from "./proofs/z3.ts";
import { SYSTEMS } from "./systems/mod.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "proofs";
/** States in which a search looks for steps that cannot happen. */
const STATES_MAX = { quick: 3_000, full: 60_000 } as const;

/** What is claimed, and the systems and the beginnings of claims that tell it. */
const PROPERTIES: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ["1 QoS 2: handed on exactly once", [["exchange", "qos2."]]],
  ["2 QoS 1: nothing acknowledged is lost", [["exchange", "qos1."]]],
  ["3 a Packet Identifier in use is not given again", [["identifiers", "identifiers."]]],
  ["4 no acknowledgement before its commit", [["gate", "gate."], ["exchange", "gate."]]],
  ["5 order is kept through resume", [["order", "order."]]],
  ["6 a Will once, iff due", [["wills", "wills."]]],
  ["7 no forbidden packet is accepted", [["connections", "connections."], ["answers", "answers."]]],
  ["8 every exchange ends", [["exchange", ""], ["gate", ""], ["identifiers", ""]]],
  ["9 Session Present is true, sessions are kept", [["sessions", "sessions."]]],
  ["sender and receiver understand each other", [["exchange", "tables."]]],
  ["one packet at a time is all that there is", [["exchange", "model."]]],
];

/** Proves everything, and breaks it. */
export async function run(options: VerifyOptions): Promise<VerifyRow[]> {
  const tool = await z3Version();
  if (options.smtFolder !== undefined) await writeProofs(options.smtFolder);
  const results = new Map<string, ProvedSystem>();
  for (const system of SYSTEMS) results.set(system.name, await proveSystem(system, options));
  const rows = PROPERTIES.flatMap(([name, claims]) =>
    claims.map(([system, prefix]) => {
      const { obligations, failures, seconds, system: of } = results.get(system)!;
      const names = Object.keys(of.claims).filter((claim) => claim.startsWith(prefix));
      const told = prefix === "" ? "ranking" : `${names.length} claims`;
      return {
        section: SECTION,
        name: `${name} (${system})`,
        tool,
        size: `${told}, ${obligations} obligations`,
        seconds,
        ok: failures.length === 0 && (prefix === "" ? of.ranking !== undefined : names.length > 0),
        ...failures.length === 0 ? {} : { detail: failures.join("; ") },
      };
    })
  );
  rows.push(...[...results.values()].map((result) => searchRow(result)));
  if (!options.quick) rows.push(await secondOpinionRow());
  const breakings: readonly (readonly [string, () => Promise<MutantVerdict[]>])[] = [
    ["broken tables are noticed", () => runTableMutants(SYSTEMS, { isQuick: options.quick })],
    ["each proof notices a broken table", () => runOneMutantEach(SYSTEMS)],
    ["broken code round them is noticed", () => runSystemMutants(SYSTEMS)],
  ];
  for (const [name, breakThem] of breakings) {
    rows.push(await mutantRow(name, { tool, isListed: options.listMutants === true }, breakThem));
  }
  return rows;
}

async function writeProofs(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const system of SYSTEMS) {
    await Deno.writeTextFile(`${folder}/${system.name}.smt2`, proofText(readSystem(system)));
  }
}

interface ProvedSystem {
  readonly system: System;
  readonly obligations: number;
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly states: number;
  readonly searchSeconds: number;
  /** What the search has found; null for nothing. */
  readonly wrong: string | null;
}

async function proveSystem(system: System, { quick }: VerifyOptions): Promise<ProvedSystem> {
  const read = readSystem(system);
  const startedMs = performance.now();
  const { obligations, failures } = await prove(read);
  const provedMs = performance.now();
  const found = search(
    new Machine(read, SHIPPED_TABLES),
    quick ? STATES_MAX.quick : STATES_MAX.full,
  );
  const never = Object.keys(system.steps).filter((name) => !found.taken.has(name));
  const wrong = found.counterexample !== null
    ? `${found.counterexample.broken.name} is broken`
    : found.wrongInvariant ?? (never.length > 0 && !quick ? `never: ${never.join(", ")}` : null);
  return {
    system,
    obligations,
    failures,
    seconds: (provedMs - startedMs) / 1000,
    states: found.states,
    searchSeconds: (performance.now() - provedMs) / 1000,
    wrong,
  };
}

function searchRow({ system, states, searchSeconds, wrong }: ProvedSystem): VerifyRow {
  return {
    section: SECTION,
    name: `${system.name}: all steps happen, nothing breaks`,
    tool: "search",
    size: `${states} states`,
    seconds: searchSeconds,
    ok: wrong === null,
    ...wrong === null ? {} : { detail: wrong },
  };
}

/** Whether another solver says the same. */
async function secondOpinionRow(): Promise<VerifyRow> {
  const startedMs = performance.now();
  const tool = await cvc5Version();
  const opinions = await Promise.all(
    SYSTEMS.map(async (system) =>
      [system.name, await askCvc5(proofText(readSystem(system)))] as const
    ),
  );
  const answers = opinions.reduce((sum, [, opinion]) => sum + opinion.answers, 0);
  const differences = opinions.flatMap(([name, opinion]) =>
    opinion.differences.map((text) => `${name}: ${text}`)
  );
  return {
    section: SECTION,
    name: "a second solver says the same",
    tool,
    size: `${answers - differences.length} of ${answers} answers`,
    seconds: (performance.now() - startedMs) / 1000,
    ok: differences.length === 0,
    ...differences.length === 0 ? {} : { detail: differences.join("; ") },
  };
}

async function mutantRow(
  name: string,
  { tool, isListed }: { tool: string; isListed: boolean },
  breakThem: () => Promise<MutantVerdict[]>,
): Promise<VerifyRow> {
  const startedMs = performance.now();
  const verdicts = await breakThem();
  for (const verdict of isListed ? verdicts : []) {
    say(`${verdict.name}: ${verdict.caughtBy.join(", ") || "SURVIVED"}`);
  }
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy.length === 0);
  const by = Map.groupBy(verdicts.flatMap(({ caughtBy }) => caughtBy), (system) => system);
  const caught = [...by].map(([system, all]) => `${system} ${all.length}`).join(", ");
  return {
    section: SECTION,
    name,
    tool,
    size: `${verdicts.length - survivors.length} of ${verdicts.length} mutants`,
    seconds: (performance.now() - startedMs) / 1000,
    ok: survivors.length === 0,
    detail: survivors.length === 0
      ? `caught by ${caught}`
      : `survived: ${survivors.map((mutant) => mutant.name).join("; ")}`,
  };
}
