/** `relayq admin` on files of its own. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AdminTokens } from "../../src/security/mod.ts";
import { run, withDirectory } from "./_running.ts";

Deno.test("admin token shows a token once, and its line or the file that has it", async () => {
  await withDirectory(async (directory) => {
    const shown = await run(["admin", "token", "scada", "--role", "read"]);
    assertEquals(shown.code, 0);
    assertMatch(shown.out, /^token +rq_[\w-]{43}\nline +scada:read:[0-9a-f]{64}\n$/);
    const file = `${directory}/tokens`;
    const made = await run(["admin", "token", "ops", "--role", "admin", "--file", file]);
    assertEquals(made.code, 0);
    assertMatch(made.out, /^rq_[\w-]{43}\n$/);
    assertEquals(made.err, `${file}: added a token of "ops" with the role admin\n`);
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    const tokens = await AdminTokens.read(file);
    assert(!("problem" in tokens));
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(made.out.trim()));
    assertEquals(tokens.ofHash(new Uint8Array(hash))?.name, "ops");
    assert(!(await Deno.readTextFile(file)).includes(made.out.trim()));
  });
});

Deno.test("admin remove takes all tokens of a name, and nobody else's", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/tokens`;
    await Deno.writeTextFile(file, "# plant\ncert:ops:admin\n", { mode: 0o600 });
    for (const name of ["ops", "ops", "scada"]) {
      await run(["admin", "token", name, "--role", "read", "--file", file]);
    }
    const removed = await run(["admin", "remove", "ops", "--file", file]);
    assertEquals([removed.code, removed.out], [0, `${file}: removed 2 of "ops"\n`]);
    assertMatch(await Deno.readTextFile(file), /^# plant\ncert:ops:admin\nscada:read:\w+\n$/);
    assertEquals((await run(["admin", "remove", "ops", "--file", file])).code, 1);
    assertEquals((await run(["admin", "remove", "cert", "--file", file])).code, 1);
  });
});

Deno.test("admin refuses names, roles, actions and files that are none", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/tokens`;
    for (
      const [args, told] of [
        [["token", "a b", "--role", "read"], "is no name"],
        [["token", "cert", "--role", "read"], "begins lines about certificates"],
        [["token", "a"], "--role wants one of read, operate, admin"],
        [["token", "a", "--role", "root"], "--role wants one of"],
        [["show", "a"], "is none of token, remove"],
        [["remove", "a"], "remove wants --file"],
      ] as const
    ) {
      const { code, err } = await run(["admin", ...args]);
      assertEquals(code, 2, args.join(" "));
      assertStringIncludes(err, told);
    }
    await Deno.writeTextFile(file, "broken\n", { mode: 0o600 });
    const broken = await run(["admin", "token", "a", "--role", "read", "--file", file]);
    assertEquals([broken.code, broken.out], [1, ""]);
    assertStringIncludes(broken.err, `${file}:1:1: this is neither name:role:sha256 nor`);
    assertEquals(await Deno.readTextFile(file), "broken\n");
  });
});
