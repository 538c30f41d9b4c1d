/** Keeps statements and tests together: what binds the server is tested, every identifier exists. */
import { assertEquals } from "@std/assert";
import { SPARKPLUG_STATEMENTS, tckIdsOf } from "./statements.ts";

const FOLDER = new URL("./", import.meta.url);
const KNOWN = new Set(SPARKPLUG_STATEMENTS.map(({ id }) => id));

Deno.test("the table has every one of the 299 statements once", () => {
  assertEquals([SPARKPLUG_STATEMENTS.length, KNOWN.size], [299, 299]);
  const hidden = SPARKPLUG_STATEMENTS.filter(({ notObservable }) => notObservable !== null);
  const own = SPARKPLUG_STATEMENTS.filter(({ part }) => part === "server");
  assertEquals([hidden.length, own.length], [18, 11]);
});

Deno.test("every statement that binds the server has a test over a socket", async () => {
  const tested = new Set(await idsInTests(new URL("wire/", FOLDER)));
  const untested = SPARKPLUG_STATEMENTS.filter(({ part, id }) =>
    part === "server" && !tested.has(id)
  );
  assertEquals(untested.map(({ id }) => id), []);
});

Deno.test("every identifier in the name of a test is a statement", async () => {
  const ids = [...await idsInTests(FOLDER), ...await idsInTests(new URL("wire/", FOLDER))];
  assertEquals(ids.filter((id) => !KNOWN.has(id)), []);
});

Deno.test("no statement is tested over a socket and said to be not observable", async () => {
  const tested = new Set(await idsInTests(new URL("wire/", FOLDER)));
  const stale = SPARKPLUG_STATEMENTS.filter(({ notObservable, id }) =>
    notObservable !== null && tested.has(id)
  );
  assertEquals(stale.map(({ id }) => id), []);
});

/** Identifiers in the string literals of all test files of a folder, not in those below it. */
async function idsInTests(folder: URL): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith("_test.ts")) continue;
    const lines = (await Deno.readTextFile(new URL(entry.name, folder))).split("\n");
    const code = lines.filter((line) => !/^\s*(\/\/|\/?\*)/.test(line));
    for (const line of code) {
      for (const [literal] of line.matchAll(/"[^"]*"|`[^`]*`/g)) ids.push(...tckIdsOf(literal));
    }
  }
  return ids;
}
