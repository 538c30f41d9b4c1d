/** The colours of the dashboard can be read: WCAG 2.1 AA, 4.5 to 1 for text and 3 to 1 for marks. */
import { assert, assertEquals } from "@std/assert";

const THEME = new URL("../../src/admin/dashboard/theme.css", import.meta.url);
const GROUNDS = ["ground", "surface", "raised"];
/** What is written with a colour, and on what. */
const TEXT: readonly (readonly [string, readonly string[]])[] = [
  ["ink", [...GROUNDS, "accent-soft", "ok-soft", "warn-soft", "bad-soft"]],
  ["muted", [...GROUNDS, "warn-soft", "bad-soft"]],
  ["accent", ["surface", "raised"]],
  ["accent-ink", ["accent"]],
  ["ok", ["surface", "raised"]],
  ["warn", ["surface", "raised"]],
  ["bad", ["surface", "raised", "bad-soft"]],
  ["side-ink", ["side", "side-here"]],
  ["side-muted", ["side"]],
];
/** Marks, lines of plots and borders of fields. */
const MARKS: readonly (readonly [string, readonly string[]])[] = [
  ["ok", [...GROUNDS, "ok-soft"]],
  ["warn-mark", [...GROUNDS, "warn-soft"]],
  ["bad", [...GROUNDS, "bad-soft"]],
  ["line-strong", ["surface"]],
  ["series-1", ["surface"]],
  ["series-2", ["surface"]],
  ["series-3", ["surface"]],
  ["series-4", ["surface"]],
];

/** The colours of each block that sets them. */
async function themes(): Promise<Map<string, string>[]> {
  const text = await Deno.readTextFile(THEME);
  const blocks = text.split(/ color-scheme: (?:light|dark);/).slice(1);
  return blocks.map((block) =>
    new Map(
      [...block.slice(0, block.indexOf("}")).matchAll(/--([a-z0-9-]+): (#[0-9a-f]{6});/g)]
        .map(([, name, colour]): [string, string] => [name!, colour!]),
    )
  );
}

/** Relative luminance, as WCAG defines it. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

Deno.test("contrast is what WCAG says it is", () => {
  assertEquals(contrast("#ffffff", "#000000"), 21);
  assertEquals(Math.round(contrast("#777777", "#ffffff") * 100), 448);
});

Deno.test("text and marks of both themes have the contrast of WCAG AA", async () => {
  const all = await themes();
  assertEquals(all.length, 3);
  assertEquals(all[1], all[2], "the system's dark theme is that of the switch");
  const faults: string[] = [];
  for (const [index, theme] of all.entries()) {
    for (const [pairs, least] of [[TEXT, 4.5], [MARKS, 3]] as const) {
      for (const [front, backs] of pairs) {
        for (const back of backs) {
          const [one, other] = [theme.get(front), theme.get(back)];
          assert(one !== undefined && other !== undefined, `${front} on ${back}: no such colour`);
          const found = contrast(one, other);
          if (found < least) faults.push(`${index}: ${front} on ${back}: ${found.toFixed(2)}`);
        }
      }
    }
  }
  assertEquals(faults, []);
});
