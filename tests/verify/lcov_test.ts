/** What `deno task coverage` reads. */
import { assertEquals } from "@std/assert";
import { parseLcov } from "../../scripts/_lcov.ts";

const TEXT = `SF:/repo/src/mqtt/a.ts
FN:1,one
FNDA:3,one
BRDA:2,1,0,-
BRDA:3,1,0,4
BRDA:4,1,0,0
BRF:3
BRH:1
DA:1,3
DA:2,0
DA:3,12
LF:3
LH:2
end_of_record
SF:/repo/src/mqtt/b.ts
DA:1,1
end_of_record
`;

Deno.test("lines and branches of each file are counted, and those that were missed are told", () => {
  const [a, b, ...others] = parseLcov(TEXT);
  assertEquals(a, {
    path: "/repo/src/mqtt/a.ts",
    lines: { found: 3, hit: 2 },
    branches: { found: 3, hit: 1 },
    missed: [2],
    missedBranches: [2, 4],
  });
  assertEquals(b?.lines, { found: 1, hit: 1 });
  assertEquals(others, []);
});
