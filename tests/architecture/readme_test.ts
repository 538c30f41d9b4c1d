/** The README says what is: its reference, its commands, its links. */
import { assert, assertEquals } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { withReference } from "../../scripts/config_reference.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

Deno.test("the configuration reference in the README is that of the present schema", () => {
  assertEquals(README, withReference(README), "run `deno task reference`");
});

Deno.test("every task that the README names exists, and every task is named", () => {
  const named = new Set(
    [...README.matchAll(/\btask ([a-z][a-z:0-9]*)/g)].map((match) => match[1]!),
  );
  const tasks = new Set(Object.keys(deno.tasks));
  assertEquals([...named].filter((task) => !tasks.has(task)), []);
  assertEquals([...tasks].filter((task) => !named.has(task)), []);
});

Deno.test("the README has the two commands of a newcomer", () => {
  assert(README.includes("npx -y deno@2.9.6 task serve"));
  assert(README.includes("npx -y deno@2.9.6 task test"));
});
