/** Guided fuzzing finds what drawing at random does not, and what is kept is an input for good. */
import { assert, assertEquals } from "@std/assert";
import { readCorpus } from "../corpus.ts";
import { tapeFromText, TapeRandom, tapeToText } from "../tape.ts";
import type { Target } from "../target.ts";
import { TARGETS } from "../targets.ts";
import { edge } from "./edges.ts";
import { guide } from "./guide.ts";
import { instrument } from "./instrument.ts";

const WORD = [17, 3, 200, 111, 64];

/** Fails for one input in 2^40, a decision after the other; each is a branch. */
const VAULT: Target = {
  name: "vault",
  inputs: 1,
  try(random) {
    for (const [i, digit] of WORD.entries()) {
      edge(i * 7919);
      if (random.below(256) !== digit) return null;
    }
    return { problem: "open", input: new Uint8Array(0) };
  },
};

Deno.test("a way of five decisions is found with guidance, and its tape takes it again", () => {
  const bounds = { seed: 1, seconds: 60, corpus: [] };
  const { failure } = guide(VAULT, { ...bounds, guided: true });
  assertEquals(failure?.problem, "open");
  assertEquals(guide(VAULT, { ...bounds, seconds: 0.2, guided: false }).failure, null);
  const player = new TapeRandom(0);
  player.play(tapeFromText(tapeToText(failure!.tape)), 99);
  assertEquals(VAULT.try(player)?.problem, "open");
});

Deno.test("an instrumented source does what it did, and tells its branches", () => {
  const text = `function probe(a) {
    let n = 0;
    if (a > 1) n += 1; else if (a > 0) n += 2; else { n += 3; }
    for (const x of [1, 2]) n += a > 0 && x ? 10 : (a ?? 5, 20);
    switch (a) { case 1: n += 100; break; default: n += 200; }
    return [1].map((x) => x + n)[0];
  }`;
  const numbers = { next: 0 };
  const told: number[] = [];
  const [, ...body] = instrument(text, { file: "a.ts", edges: "x", numbers }).split("\n");
  const probe = new Function("__edge", `${body.join("\n")}\nreturn probe;`);
  const plain = new Function(`${text}\nreturn probe;`);
  const ways = [0, 1, 2].map((a) => {
    told.length = 0;
    assertEquals(probe((branch: number) => told.push(branch))(a), plain()(a));
    return told.join();
  });
  assertEquals(new Set(ways).size, 3);
  assert(numbers.next >= 11, `${numbers.next} branches`);
});

for (const target of TARGETS) {
  Deno.test(`nothing is wrong with the kept inputs of fuzz target ${target.name}`, () => {
    const tapes = readCorpus(target.name);
    assert(tapes.length > 0);
    const player = new TapeRandom(0);
    for (const tape of tapes) {
      player.play(tape, 0);
      assertEquals(target.try(player), null, tapeToText(tape));
    }
  });
}
