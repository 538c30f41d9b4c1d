/**
 * Why every exchange ends: while it is not done, a helpful step is possible; it stays possible until
 * it happens or something else has brought the end nearer; each brings a pair of natural numbers
 * down, and no other step raises it. So whatever the order, if no step waits for ever, it ends.
 */
import type { Obligation } from "./prove.ts";
import type { Script } from "./script.ts";
import { printTerm } from "./term.ts";

/** The questions of the ranking of a system; none if it has none. */
export function rankingQuestions(script: Script): Obligation[] {
  const { read } = script;
  const { ranking } = read.system;
  if (ranking === undefined) return [];
  const going = [
    ...script.hypotheses(),
    printTerm(read.read(ranking.assuming)),
    `(not ${printTerm(read.read(ranking.done))})`,
  ];
  const rank = ranking.rank.map((text) => read.read(text));
  const now = rank.map(printTerm);
  const later = rank.map((term) => script.after(term));
  const helpful = Object.entries(ranking.helpful)
    .map(([name, text]) => [name, read.read(text)] as const);
  const obligations = [
    script.obligation("an exchange can be under way", { assertions: going, expects: "sat" }),
    script.obligation("ranks are natural numbers", {
      assertions: [...going, `(not (and ${now.map((text) => `(<= 0 ${text})`).join(" ")}))`],
      expects: "unsat",
    }),
    script.obligation("a helpful step is possible until the end", {
      assertions: [
        ...going,
        ...helpful.map(([, condition]) => `(not ${printTerm(condition)})`),
      ],
      expects: "unsat",
    }),
  ];
  for (const step of read.steps) {
    if (ranking.excluded.includes(step.name)) continue;
    const { declarations, assertions } = script.step(step);
    const taken = [...going, ...assertions];
    obligations.push(script.obligation(`${step.name} does not raise the rank`, {
      declarations,
      assertions: [...taken, lessThan(now, later)],
      expects: "unsat",
    }));
    for (const [name, condition] of helpful) {
      const here = printTerm(condition);
      const isSame = name === step.name;
      obligations.push(script.obligation(
        isSame ? `${name} helps` : `${step.name} does not take ${name} away`,
        {
          declarations,
          assertions: [
            ...taken,
            here,
            `(not ${lessThan(later, now)})`,
            ...isSame ? [] : [`(not ${script.after(condition)})`],
          ],
          expects: "unsat",
        },
      ));
    }
  }
  for (const [name, condition] of helpful) {
    const step = read.steps.find((one) => one.name === name)!;
    obligations.push(script.obligation(`${name} is possible where it would help`, {
      assertions: [...going, printTerm(condition), `(not ${printTerm(step.guard)})`],
      expects: "unsat",
    }));
  }
  return obligations;
}

/** Whether a list of numbers is less than another, the first one counting most. */
function lessThan(a: readonly string[], b: readonly string[]): string {
  const [first, ...rest] = a;
  const [other, ...others] = b;
  if (first === undefined || other === undefined) return "false";
  return `(or (< ${first} ${other}) (and (= ${first} ${other}) ${lessThan(rest, others)}))`;
}
