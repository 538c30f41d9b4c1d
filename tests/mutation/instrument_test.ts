/** The mutation tester: asleep, the source is what it was; awake, each mutant is what its line says. */
import { assertEquals } from "@std/assert";
import { instrument } from "../../scripts/mutation/instrument.ts";
import type { Mutant } from "../../scripts/mutation/mutant.ts";

/** Gives what `probe()` of the source gives with each mutant awake, and with none. */
function results(text: string): { asleep: unknown; awake: Record<string, unknown> } {
  const mutants: Mutant[] = [];
  const instrumented = instrument(text, { file: "probe.ts", switchboard: "x", mutants });
  const [, ...body] = instrumented.split("\n"); // without the import
  const evaluate = new Function("__awake", `${body.join("\n")}\nreturn probe();`);
  function wake(number: number): unknown {
    return evaluate((asked: number) => asked === number);
  }
  const awake = mutants.map(({ operator, original, replacement }, number) =>
    [`${operator}: ${original} -> ${replacement}`, wake(number)] as const
  );
  return { asleep: wake(-1), awake: Object.fromEntries(awake) };
}

Deno.test("a comparison that decides is turned, and made to hold always and never", () => {
  assertEquals(
    results(`function probe() { const a = 1; if (a < 1) return "less"; return "not"; }`),
    {
      asleep: "not",
      awake: {
        'body: { const a = 1; if (a < 1) return "less"; return "not"; } -> {}': undefined,
        "comparison: a < 1 -> a <= 1": "less",
        "comparison: a < 1 -> a >= 1": "less",
        "condition: a < 1 -> true": "less",
        "condition: a < 1 -> false": "not",
      },
    },
  );
});

Deno.test("statements are left out, sums turned, steps reversed, inside one another, too", () => {
  const { asleep, awake } = results(
    `var log = []; function probe() { log.length = 0; let n = 2; if (n) log.push(n + 1); else n++; return log[0]; }`,
  );
  assertEquals(asleep, 3);
  delete awake[
    "body: { log.length = 0; let n = 2; if (n) log.push(n + 1); else n++; return log[0]; } -> {}"
  ];
  assertEquals(awake, {
    "statement: log.length = 0; -> ": 3,
    "condition: n -> true": 3,
    "condition: n -> false": undefined,
    "statement: log.push(n + 1); -> ": undefined,
    "arithmetic: n + 1 -> n - 1": 1,
    "update: n++ -> n--": 3,
  });
});

Deno.test("texts, types and the keys of tables are left alone", () => {
  const mutants: Mutant[] = [];
  const text =
    `interface A { readonly b: true | false }\ntype C = -1;\nconst d = { "e": "f" + "g" };\n`;
  const instrumented = instrument(text, { file: "probe.ts", switchboard: "x", mutants });
  assertEquals(mutants, []);
  assertEquals(instrumented, `import { awake as __awake } from "x";\n${text}`);
});
