/** `deno task verify` as a command. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const MAIN = new URL("../../scripts/verify/main.ts", import.meta.url);

async function verify(
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--allow-all", MAIN.href, ...args],
    env: { PATH: "/nowhere" },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("what cannot be proved because Z3 is missing is not called proved", async () => {
  const { code, output } = await verify(["--quick", "--only", "proofs"]);
  assertEquals(code, 1);
  assertStringIncludes(output, "Cannot run z3: it is not installed (Debian package z3)");
  assert(!output.includes("holds"));
});

Deno.test("a section that there is not, and an unknown flag, are mistakes of the command", async () => {
  const unknown = await verify(["--only", "poofs"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.output, "no section poofs");
  assertEquals((await verify(["--fast"])).code, 2);
});
