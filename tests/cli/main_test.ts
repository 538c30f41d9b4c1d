import { assertEquals, assertStringIncludes } from "@std/assert";
import { writeFully } from "../../src/cli/mod.ts";
import { withDirectory } from "./_running.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("main.ts hands over arguments, both streams and the exit code", async () => {
  const version = await runMain(["version", "--json"]);
  assertEquals([version.code, version.err], [0, ""]);
  assertEquals(JSON.parse(version.out).deno, Deno.version.deno);
  const unknown = await runMain(["chekc"]);
  assertEquals([unknown.code, unknown.out], [2, ""]);
  assertStringIncludes(unknown.err, 'unknown command "chekc"; did you mean "check"?');
});

Deno.test("a file that may not be read is told, not asked for", async () => {
  const { code, err } = await runMain(["check", "/etc/hostname"]);
  assertEquals([code, err], [1, "Cannot read config: /etc/hostname: permission denied\n"]);
});

Deno.test("serve starts the broker of this repository, and tells by code 3 that it could not", async () => {
  await withDirectory(async (directory) => {
    const permissions = ["--allow-read", `--allow-write=${directory}`];
    const args = ["serve", "--listen", "127.0.0.1:0", "--data-dir", `${directory}/state`];
    // Without the permission to listen, as on a machine that forbids it.
    const { code, err } = await runMain(args, permissions);
    assertStringIncludes(err, "Cannot start: ");
    assertEquals(code, 3);
  });
});

Deno.test("an error or rejection that nothing catches ends in code 4", async () => {
  const mod = new URL("src/cli/mod.ts", ROOT).href;
  for (const fault of ["throw new Error('lost')", "Promise.reject(new Error('lost'))"]) {
    const code = `import { exitOnFault } from "${mod}";
      exitOnFault({ err: (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)) });
      setTimeout(() => { ${fault} }, 0);
      setTimeout(() => Deno.exit(0), 5000);`;
    const result = await runDeno(["eval", "--no-check", code]);
    assertEquals(result.code, 4);
    assertStringIncludes(result.err, "Internal error: Error: lost\n    at ");
  }
});

Deno.test("writeFully writes all of a text to a stream that takes it in pieces", () => {
  const taken: number[] = [];
  const slow = {
    writeSync(bytes: Uint8Array): number {
      const count = Math.min(3, bytes.length);
      taken.push(...bytes.subarray(0, count));
      return count;
    },
  };
  writeFully(slow, "grüße, welt");
  assertEquals(new TextDecoder().decode(Uint8Array.from(taken)), "grüße, welt");
});

Deno.test("writeFully forgives a reader that has gone, and nothing else", () => {
  const failing = (error: Error) => ({
    writeSync(): number {
      throw error;
    },
  });
  writeFully(failing(new Deno.errors.BrokenPipe()), "x");
  const full = new Error("no space");
  let caught: unknown;
  try {
    writeFully(failing(full), "x");
  } catch (error) {
    caught = error;
  }
  assertEquals(caught, full);
});

function runMain(
  args: readonly string[],
  permissions: readonly string[] = [],
): Promise<{ code: number; out: string; err: string }> {
  return runDeno(["run", "--no-check", "--no-prompt", ...permissions, "main.ts", ...args]);
}

async function runDeno(
  args: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
