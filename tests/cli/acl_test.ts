/** `relayq acl` on access files. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run, withDirectory } from "./_running.ts";

const RULES = `members ops user alice
group ops
allow publish,subscribe,read plant/#
deny publish plant/safety/#
certificate gw
allow publish gw/%c
anonymous
allow read public
`;

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/acl`, text);
    await use(`${directory}/acl`);
  });
}

Deno.test("acl test tells verdict, rule and line, and exits with 0 or 5", async () => {
  await withFile(RULES, async (path) => {
    const questions: [string[], number, string][] = [
      [
        ["alice", "c", "pub", "plant/x"],
        0,
        "allowed by line 3: allow publish,subscribe,read plant/#",
      ],
      [["alice", "c", "pub", "plant/safety/x"], 5, "denied by line 4: deny publish plant/safety/#"],
      [["alice", "c", "sub", "plant/+/#"], 0, "allowed by line 3: "],
      [["alice", "c", "sub", "#"], 5, "denied: no rule allows all that the filter matches\n"],
      [["-", "c", "read", "public"], 0, "allowed by line 8: allow read public (anonymous)\n"],
      [["alice", "c", "read", "public"], 5, "denied: no rule allows it\n"],
      [["-", "c7", "pub", "gw/c7", "--certificate", "gw"], 0, "allowed by line 6: "],
    ];
    for (const [words, code, answer] of questions) {
      const said = await run(["acl", "test", path, ...words]);
      assertEquals([said.code, said.err], [code, ""], words.join(" "));
      assertStringIncludes(said.out, answer);
    }
  });
});

Deno.test("acl check tells every mistake, and what is of no use", async () => {
  await withFile("everyone\nalow read a\nallow read a/#/b\n", async (path) => {
    const { code, out, err } = await run(["acl", "check", path]);
    assertEquals([code, err], [1, ""]);
    assertStringIncludes(out, `${path}:2:1: unknown verb "alow"; `);
    assertStringIncludes(out, `${path}:3:12: the Topic Filter is wrong: `);
    const asked = await run(["acl", "test", path, "u", "c", "pub", "a"]);
    assertEquals([asked.code, asked.out], [1, ""]);
  });
  await withFile("everyone\nallow subscribe a\n", async (path) => {
    const { code, out } = await run(["acl", "check", path]);
    const warning = "warning: no rule allows read of anything that is subscribed to here";
    assertEquals([code, out], [0, `${path}:2:1: ${warning}\n${path}: ok\n`]);
  });
});

Deno.test("acl import prints an access file that acl check accepts", async () => {
  await withFile("user a\ntopic read x/#\npattern deny y/%u\n", async (path) => {
    const imported = await run(["acl", "import", path]);
    assertEquals(imported.code, 0);
    assertStringIncludes(imported.err, `${path}:3:1: warning: a pattern that denies wins here`);
    await Deno.writeTextFile(path, imported.out);
    assertEquals(await run(["acl", "check", path]), { code: 0, out: `${path}: ok\n`, err: "" });
    const again = await run(["acl", "import", path]);
    assertEquals([again.code, again.out], [1, ""]);
    assertStringIncludes(again.err, 'unknown word "everyone"; ');
  });
});

Deno.test("acl says why it cannot do what it is asked for", async () => {
  await withFile(RULES, async (path) => {
    const complaints: [string[], number, string][] = [
      [["check"], 2, "FILE is missing"],
      [["burn", path], 2, '"burn" is none of check, test, import'],
      [["check", path, "x"], 2, "check wants 0 words behind FILE, not 1"],
      [["test", path, "u", "c", "pub"], 2, "test wants 4 words behind FILE, not 3"],
      [["test", path, "u", "c", "write", "t"], 2, '"write" is none of pub, sub, read'],
      [["test", path, "u", "c", "pub", "a/#"], 2, '"a/#": Topic Name contains a wildcard'],
      [["test", path, "u", "c", "sub", "a/#/b"], 2, '"a/#/b": # is not the whole last level'],
      [["check", `${path}.no`], 1, "no such file or directory"],
    ];
    for (const [args, code, message] of complaints) {
      const failed = await run(["acl", ...args]);
      assertEquals([failed.code, failed.out], [code, ""], args.join(" "));
      assertStringIncludes(failed.err, message);
    }
  });
});
