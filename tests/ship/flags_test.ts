/** The binary may do what the task `serve` may, and the README says what for. */
import { assert, assertEquals } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { runtimeFlags } from "../../scripts/ship/flags.ts";
import { targetsOf } from "../../scripts/ship/targets.ts";
import { assertThrows } from "@std/assert";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const PLAIN = { small: false, heapMb: null };

Deno.test("a binary has the flags of `deno task serve`, and none by which it could run or load others", () => {
  const flags = runtimeFlags(PLAIN);
  const serve = deno.tasks.serve.split(" ");
  const beside = flags.filter((flag) => !serve.includes(flag));
  const [env = ""] = serve.filter((flag) => flag.startsWith("--allow-env="));
  assertEquals(beside, [`${env},RELAYQ_TOKEN_FILE,NO_PROXY`]);
  assert(flags.includes("--no-prompt"));
  assertEquals(flags.filter((flag) => /allow-(all|run|ffi|import)|^-A/.test(flag)), []);
});

Deno.test("every variable that a command names may be read by a binary", async () => {
  const flags = runtimeFlags(PLAIN).join(" ");
  const cli = new URL("../../src/cli/", import.meta.url);
  let count = 0;
  for await (const { name } of Deno.readDir(cli)) {
    const text = await Deno.readTextFile(new URL(name, cli));
    for (const [, variable] of text.matchAll(/"(RELAYQ_[A-Z_]+)"/g)) {
      assert(flags.includes(`,${variable}`), variable);
      count++;
    }
  }
  assert(count > 0);
});

Deno.test("the README has a line for each grant, and for nothing that is not granted", () => {
  const granted = runtimeFlags(PLAIN).flatMap((flag) => {
    const [, name, list] = /^--(allow-[a-z]+|unstable-[a-z]+)(?:=(.*))?$/.exec(flag) ?? [];
    if (name === undefined) return [];
    return (list?.split(",") ?? [""]).map((one) => `--${name}${one === "" ? "" : `=${one}`}`);
  });
  const table = README.slice(README.indexOf("| grant |"));
  const rows = table.slice(0, table.indexOf("\n\n")).split("\n").slice(2);
  assertEquals(rows.map((row) => /`([^`]+)`/.exec(row)?.[1]).toSorted(), granted.toSorted());
});

Deno.test("for small machines V8 has more flags, behind the others", () => {
  const v8 = (choice: { small: boolean; heapMb: number | null }) =>
    runtimeFlags(choice).find((flag) => flag.startsWith("--v8-flags="));
  const plain = v8(PLAIN)!;
  assertEquals(
    v8({ small: true, heapMb: 48 }),
    `${plain},--optimize-for-size,--max-semi-space-size=1,--max-old-space-size=48`,
  );
});

Deno.test("a target is one of three, or all", () => {
  assertEquals(targetsOf("all").length, 3);
  assertEquals(targetsOf("aarch64-unknown-linux-gnu").length, 1);
  assertThrows(() => targetsOf("riscv64"), Error, '"riscv64" is none of x86_64-unknown-linux-gnu');
});
