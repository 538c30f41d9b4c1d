/** Keeps statements and tests together: no statement without a test, no tag without a statement. */
import { assertEquals } from "@std/assert";
import { STATEMENTS, tagsOf } from "./statements.ts";

Deno.test("the table has every statement of appendix B once", () => {
  assertEquals(new Set(STATEMENTS.map(({ tag }) => tag)).size, STATEMENTS.length);
  const counts = new Map<string, number>();
  for (const { tag } of STATEMENTS) {
    const section = tag.replace("MQTT-3-8.3", "MQTT-3.8.3").replace(/^MQTT-(.*)-\d+$/, "$1");
    counts.set(section, (counts.get(section) ?? 0) + 1);
  }
  assertEquals(Object.fromEntries(counts), APPENDIX_B);
});

Deno.test("every statement has a test that carries its tag, or a reason why not", async () => {
  const tested = new Set(await tagsInTests());
  const untested = STATEMENTS.filter(({ tag, notApplicable }) =>
    notApplicable === null && !tested.has(tag)
  );
  assertEquals(untested.map(({ tag }) => tag), []);
});

Deno.test("no statement has both a test and a reason why not", async () => {
  const tested = new Set(await tagsInTests());
  const stale = STATEMENTS.filter(({ tag, notApplicable }) =>
    notApplicable !== null && tested.has(tag)
  );
  assertEquals(stale.map(({ tag }) => tag), []);
});

Deno.test("every tag in the name of a test is a statement", async () => {
  const known = new Set(STATEMENTS.map(({ tag }) => tag));
  assertEquals((await tagsInTests()).filter((tag) => !known.has(tag)), []);
});

/** How many statements each section has. */
const APPENDIX_B = {
  "1.5.3": 3,
  "2.2.2": 2,
  "2.3.1": 7,
  "3.1.0": 2,
  "3.1.2": 24,
  "3.1.3": 11,
  "3.1.4": 5,
  "3.2.0": 1,
  "3.2.2": 6,
  "3.3.1": 12,
  "3.3.2": 3,
  "3.3.4": 1,
  "3.3.5": 2,
  "3.6.1": 1,
  "3.8.1": 1,
  "3.8.3": 4,
  "3.8.4": 6,
  "3.9.3": 2,
  "3.10.1": 1,
  "3.10.3": 2,
  "3.10.4": 6,
  "3.12.4": 1,
  "3.14.1": 1,
  "3.14.4": 3,
  "4.1.0": 2,
  "4.3.1": 1,
  "4.3.2": 2,
  "4.3.3": 2,
  "4.4.0": 1,
  "4.5.0": 2,
  "4.6.0": 6,
  "4.7.1": 3,
  "4.7.2": 1,
  "4.7.3": 4,
  "4.8.0": 2,
  "6.0.0": 4,
  "7.0.0": 2,
  "7.1.1": 1,
  "7.1.2": 1,
};

/** Tags in the string literals of all test files here; what stands in comments does not count. */
async function tagsInTests(): Promise<string[]> {
  const folder = new URL(".", import.meta.url);
  const tags: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith("_test.ts")) continue;
    const lines = (await Deno.readTextFile(new URL(entry.name, folder))).split("\n");
    const code = lines.filter((line) => !/^\s*(\/\/|\/?\*)/.test(line));
    for (const line of code) {
      for (const [literal] of line.matchAll(/"[^"]*"|`[^`]*`/g)) tags.push(...tagsOf(literal));
    }
  }
  return tags;
}
