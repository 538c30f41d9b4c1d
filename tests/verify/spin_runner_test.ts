/** The parts of the runner of the models that need no Spin: what is read, walked and compared. */
import { assertEquals, assertThrows } from "@std/assert";
import { parsePan, parseStatements } from "../../scripts/verify/_pan_output.ts";
import { readVariables, Relation } from "../../scripts/verify/_relation.ts";
import { replay } from "../../scripts/verify/_replay.ts";
import type { Rig } from "../../scripts/verify/replay/rig.ts";

const PAN = `@ x=0 > inc > x=1

(Spin Version 6.5.2 -- 6 December 2019)

State-vector 68 byte, depth reached 1042, errors: 2
    11356 states, stored (97270 visited)
     8368 states, matched
    19724 transitions (= stored+matched)

unreached in proctype clients
\t/repo/models/a.pml:79, state 34, "ack[sent] = 1"
\t/repo/models/a.pml:84, state 100, "ack[sent] = 1"
\t/repo/models/a.pml:131, state 252, "-end-"
\t(3 of 252 states)
unreached in claim answered
\t_spin_nvr.tmp:10, state 13, "-end-"
\t(1 of 13 states)
`;

Deno.test("what a verifier prints is read: figures, statements that were not reached, steps", () => {
  const result = parsePan(PAN);
  assertEquals([result.errors, result.states, result.transitions, result.depth], [
    2,
    11_356,
    19_724,
    1_042,
  ]);
  assertEquals(result.complete, true);
  assertEquals([...result.unreached.keys()], [
    "a.pml:79: ack[sent] = 1",
    "a.pml:84: ack[sent] = 1",
    "a.pml:131: -end-",
  ]);
  assertEquals(result.lines[0], "@ x=0 > inc > x=1");
});

Deno.test("a search that was given up is not complete, and no figures at all are an error", () => {
  const given = `error: max search depth too small\n${PAN}`;
  assertEquals(parsePan(given).complete, false);
  assertThrows(() => parsePan("pan: out of memory"), Error, "out of memory");
});

Deno.test("a statement of an inline is counted once for each place it stands in", () => {
  const table = [
    "proctype one",
    "\tstate   4 -(tr 238)-> state   8  [id   1 tp   2] [A---G] /repo/a.pml:101 => from = 0",
    "\tstate   4 -(tr 238)-> state   9  [id   1 tp   2] [A---G] /repo/a.pml:101 => from = 0",
    "proctype two",
    "\tstate   4 -(tr 238)-> state   8  [id   1 tp   2] [A---G] /repo/a.pml:101 => from = 0",
  ];
  assertEquals([...parseStatements(table.join("\n"))], [["a.pml:101: from = 0", 2]]);
});

/** Two counters of two bits each, one of which can be cleared. */
function counters(): string[] {
  const lines: string[] = [];
  for (let x = 0; x < 4; x++) {
    for (let y = 0; y < 4; y++) {
      const from = `x=${x} y=${y}`;
      if (x < 3) lines.push(`@ ${from} > add x > x=${x + 1} y=${y}`);
      if (y < 3) lines.push(`@ ${from} > add y > x=${x} y=${y + 1}`);
      if (x > 0) lines.push(`@ ${from} > clear > x=0 y=${y}`);
    }
  }
  return lines;
}

Deno.test("the walks take every step, and each begins at the start and hangs together", () => {
  const relation = new Relation([...counters(), ...counters(), "Depth= 10 States= 1"]);
  const taken = new Set<string>();
  for (const walk of relation.walks()) {
    let state = relation.initial;
    for (const { from, act, to } of walk) {
      assertEquals(from, state);
      taken.add(`${from} ${act}`);
      state = to;
    }
  }
  assertEquals([taken.size, relation.size, relation.states], [36, 36, 16]);
});

Deno.test("a step that leads to two states is refused, and so is a model without any", () => {
  const lines = ["@ x=0 > add > x=1", "@ x=0 > add > x=2"];
  assertThrows(() => new Relation(lines), Error, "leads to two states");
  assertThrows(() => new Relation(["nothing"]), Error, "it has no steps");
});

Deno.test("variables are read by their names", () => {
  assertEquals([...readVariables("a=1 b0=-2")], [["a", 1], ["b0", -2]]);
});

/** The counters, in code; `limit`: where it stops counting. */
class CounterRig implements Rig {
  #x = 0;
  #y = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  reset(): void {
    this.#x = this.#y = 0;
  }

  step([act, which]: readonly string[]): void {
    if (act === "clear") this.#x = 0;
    else if (which === "x") this.#x = Math.min(this.#x + 1, this.#limit);
    else this.#y++;
  }

  observe(): { x: number; y: number } {
    return { x: this.#x, y: this.#y };
  }

  close(): void {}
}

Deno.test("a replay carries out all steps where code and model agree", async () => {
  const { distinct, difference, compared } = await replay(
    new Relation(counters()),
    new CounterRig(3),
  );
  assertEquals([distinct, difference, compared], [36, null, ["x", "y"]]);
});

Deno.test("a replay tells where code and model differ, and how it came there", async () => {
  const { difference } = await replay(new Relation(counters()), new CounterRig(2));
  assertEquals(difference?.startsWith("x is 2, in the model 3; behind: "), true, difference ?? "");
  assertEquals(difference?.endsWith("add x"), true);
});

Deno.test("a replay with a bound takes no more walks behind it", async () => {
  const { steps, distinct } = await replay(new Relation(counters()), new CounterRig(3), 1);
  assertEquals(distinct <= steps && steps < 36, true);
});
