/** The systems that are proved: tied to the tables and the functions that ship. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CONNECTION_TABLE,
  QOS_RECEIVER_TABLE,
  QOS_SENDER_TABLE,
  SESSION_TABLE,
  type TransitionTable,
} from "../../src/broker/mod.ts";
import { ArrayValue, compileTerm } from "../../scripts/verify/proofs/evaluate.ts";
import { Machine } from "../../scripts/verify/proofs/machine.ts";
import { tableMutants } from "../../scripts/verify/proofs/mutate_table.ts";
import { search } from "../../scripts/verify/proofs/search.ts";
import { mutateSystem, readSystem } from "../../scripts/verify/proofs/system.ts";
import {
  cellOf,
  exportTable,
  SHIPPED_TABLES,
  type TableName,
} from "../../scripts/verify/proofs/table.ts";
import { expand, printTerm, readTerm } from "../../scripts/verify/proofs/term.ts";
import { SYSTEMS } from "../../scripts/verify/systems/mod.ts";

const SOURCE = new URL("../../src/broker/", import.meta.url);
const WRITTEN: Readonly<Record<TableName, TransitionTable>> = {
  connection: CONNECTION_TABLE,
  receiver: QOS_RECEIVER_TABLE,
  sender: QOS_SENDER_TABLE,
  session: SESSION_TABLE,
};

for (const name of ["connection", "receiver", "sender", "session"] as const) {
  const written = WRITTEN[name];
  const table = SHIPPED_TABLES[name];

  Deno.test(`what is exported of the ${name} table is what is written down`, () => {
    const text = exportTable(name, table);
    for (const [state, row] of Object.entries(written)) {
      for (const event of Object.keys(table.events)) {
        const entry = row[event];
        const cell = cellOf(table, state, event);
        assertEquals(cell.isDefined, entry !== undefined);
        assertEquals([cell.to, cell.emits], [entry?.to ?? state, entry?.emit ?? "nothing"]);
        const here = `(and (= s ${name}.${state}) (= e ${name}/${event}))`;
        assertEquals(text.includes(`(ite ${here} ${name}.${cell.to} `), cell.isDefined);
        assertEquals(text.includes(`(ite ${here} ${name}!${cell.emits} `), cell.isDefined);
      }
    }
  });

  Deno.test(`each mutant of the ${name} table differs from it in one cell`, () => {
    const mutants = tableMutants(SHIPPED_TABLES, name);
    const texts = new Set(mutants.map(({ tables }) => exportTable(name, tables[name])));
    assertEquals(texts.size, mutants.length);
    assert(!texts.has(exportTable(name, table)));
  });
}

Deno.test("the functions that the systems mirror are in the source", async () => {
  const source = await readSource();
  const missing = SYSTEMS.flatMap(({ name, mirrors }) =>
    mirrors.filter((mirrored) => {
      const [of, method] = mirrored.split(".") as [string, string];
      const start = source.indexOf(`class ${of} {`);
      const end = source.indexOf("\n}\n", start);
      const isThere = source.slice(start, end).includes(`\n  ${method}(`);
      return start < 0 || !isThere;
    }).map((mirrored) => `${name}: ${mirrored}`)
  );
  assertEquals(missing, []);
});

for (const system of SYSTEMS) {
  Deno.test(`${system.name}: claims and invariant hold in all states that are near`, () => {
    const machine = new Machine(readSystem(system), SHIPPED_TABLES);
    const { counterexample, wrongInvariant, states } = search(machine, 1_000);
    assertEquals([counterexample, wrongInvariant], [null, null]);
    assert(states > 1);
  });
}

Deno.test("the README tells how many ways there are to break a table", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const names = ["connection", "receiver", "sender", "session"] as const;
  const mutants = names.flatMap((name) => tableMutants(SHIPPED_TABLES, name));
  assert(readme.includes(`${mutants.length} mutants`), `${mutants.length}`);
});

Deno.test("a search finds what a broken table breaks", () => {
  const system = SYSTEMS.find(({ name }) => name === "answers")!;
  const survivors = [...tableMutants(SHIPPED_TABLES, "sender")].filter(({ tables }) => {
    const machine = new Machine(readSystem(system), tables);
    return search(machine, 1_000).counterexample === null;
  });
  assertEquals(survivors.map(({ name }) => name), []);
});

Deno.test("terms are read, expanded and printed", () => {
  const macros = { twice: { parameters: ["x"], body: "(+ x x)" } };
  assertEquals(printTerm(expand("(= (twice n) (twice 2))", macros)), "(= (+ n n) (+ 2 2))");
  assertThrows(() => readTerm("(and a"), Error, "Cannot read term");
  assertThrows(() => readTerm("a b"), Error, "more behind its end");
  assertThrows(() => expand("(twice 1 2)", macros), Error, "it takes 1 terms");
});

Deno.test("terms are carried out as SMT-LIB tells", () => {
  const values = { n: 3, isUp: true, list: new ArrayValue(0) };
  const cases: readonly (readonly [string, unknown])[] = [
    ["(+ n 1 2)", 6],
    ["(- n 1)", 2],
    ["(ite isUp n 0)", 3],
    ["(=> isUp (< n 3))", false],
    ["(and true isUp (>= n 3))", true],
    ["(select (store list 2 n) 2)", 3],
    ["(select (store list 2 n) 1)", 0],
    ["(= (store list 1 0) list)", true],
    ["(let ((m (+ n n))) (* m 2))", 12],
    ["(sender.next sender.awaitPuback sender/PUBACK)", "sender.idle"],
    ["(sender.emits sender.idle sender/PUBREC)", "sender!PUBREL"],
    ["(sender.has sender.awaitPuback sender/PUBREC)", false],
  ];
  for (const [text, expected] of cases) {
    assertEquals(compileTerm(readTerm(text), SHIPPED_TABLES)(values), expected, text);
  }
  assertThrows(() => compileTerm(readTerm("(xor isUp isUp)"), SHIPPED_TABLES), Error, "xor");
});

Deno.test("a mutant of a system whose text is not there is a mistake", () => {
  const mutant = { name: "m", step: "send", original: "nowhere", replacement: "" };
  assertThrows(() => mutateSystem(SYSTEMS[0]!, mutant), Error, "its text is not there");
});

async function readSource(): Promise<string> {
  let text = "";
  for await (const entry of Deno.readDir(SOURCE)) {
    if (entry.isFile) text += await Deno.readTextFile(new URL(entry.name, SOURCE)) + "\n";
  }
  return text;
}
