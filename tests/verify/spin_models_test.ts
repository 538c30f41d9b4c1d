/** The models for Spin are about code that is there, and the runner knows all that is in them. */
import { assert, assertEquals } from "@std/assert";
import { SPIN_MODELS } from "../../scripts/verify/_spin_models.ts";

const ROOT = new URL("../../", import.meta.url);
const MODELS = new URL("scripts/verify/models/", ROOT);

/** What stands below `Mirrors` in the head of a model: files, and functions of theirs. */
function mirrored(text: string): { path: string; names: string[] }[] {
  const head = text.slice(0, text.indexOf("*/"));
  const block = head.slice(head.indexOf(" * Mirrors\n") + 11).split(" *\n")[0]!;
  const files: { path: string; names: string[] }[] = [];
  for (const line of block.split("\n")) {
    const words = line.replace(/^ \*\s+/, "").split(/\s+/).filter((word) => word !== "");
    if (words[0]?.startsWith("src/")) files.push({ path: words.shift()!, names: [] });
    files.at(-1)?.names.push(...words);
  }
  return files;
}

/** A call and a declaration without a body end with a semicolon. */
function defines(source: string, name: string): boolean {
  const before = "(?:export )?(?:static )?(?:async )?(?:get )?(?:function )?";
  return new RegExp(`^\\s*${before}${name}(?:<[^>]*>)?\\((?!.*;$)`, "m").test(source);
}

for (const name of new Set(SPIN_MODELS.map((model) => model.name))) {
  Deno.test(`the functions that ${name}.pml mirrors are in the source`, async () => {
    const text = await Deno.readTextFile(new URL(`${name}.pml`, MODELS));
    const files = mirrored(text);
    assert(files.length >= 2, "names too little");
    for (const { path, names } of files) {
      const source = await Deno.readTextFile(new URL(path, ROOT));
      assert(names.length > 0, `${path} is named without a function`);
      assertEquals(names.filter((function_) => !defines(source, function_)), [], path);
    }
  });

  Deno.test(`all formulas and all mutants of ${name}.pml are looked at`, async () => {
    const text = await Deno.readTextFile(new URL(`${name}.pml`, MODELS));
    const uses = SPIN_MODELS.filter((model) => model.name === name);
    const formulas = [...text.matchAll(/^ltl (\w+)/gm)].map(([, formula]) => formula!);
    for (const model of uses) assertEquals([...model.formulas].toSorted(), formulas.toSorted());
    const mutants = new Set(text.match(/\bMUTANT_\w+/g));
    assertEquals(new Set(uses.flatMap((model) => model.mutants)), mutants);
    assert(mutants.size > 0, "cannot be broken");
  });
}

Deno.test("every model that is there is explored", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(MODELS)) files.push(name);
  const known = new Set(SPIN_MODELS.map(({ name }) => `${name}.pml`));
  assertEquals(files.toSorted(), [...known].toSorted());
});
