/** `relayq audit verify` on the files that a broker has left. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AUDIT_FILE, AUDIT_HEAD_FILE, DirectoryAuditStorage } from "../../src/security/mod.ts";
import { openLog } from "../security/_audit.ts";
import { run, withDirectory } from "./_running.ts";

/** A log of several files with 20 refusals. */
async function leaveLog(directory: string): Promise<string[]> {
  const storage = await DirectoryAuditStorage.open(directory);
  const log = await openLog(storage, { fileBytesMax: 1500 });
  for (let i = 0; i < 20; i++) {
    log.record({ event: "refused", reason: "locked-out", address: `10.0.0.${i}` }, 1e12);
    await log.flush();
  }
  await log.close("end");
  return (await storage.rotated()).map((name) => `${directory}/${name}`);
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

Deno.test("audit verify finds nothing in a log as it was written, by file and by directory", async () => {
  await withDirectory(async (directory) => {
    const rotated = await leaveLog(directory);
    assert(rotated.length >= 2);
    const whole = await run(["audit", "verify", directory]);
    assertEquals([whole.code, whole.err], [0, ""] as unknown[]);
    assertStringIncludes(whole.out, " entries as they were written, 1 to ");
    const files = await run(["audit", "verify", ...rotated, `${directory}/${AUDIT_FILE}`]);
    assertEquals(files, whole);
    const newest = await run(["audit", "verify", `${directory}/${AUDIT_FILE}`]);
    assertEquals(newest.code, 0);
    assertStringIncludes(newest.out, ":1: note: begins with entry ");
    const older = await run(["audit", "verify", "--no-head", rotated[0]!]);
    assertEquals(older.code, 0);
    assertStringIncludes(older.out, "; what may be missing behind them was not checked\n");
    const elsewhere = `${directory}/copy`;
    await Deno.rename(`${directory}/${AUDIT_HEAD_FILE}`, elsewhere);
    assertEquals((await run(["audit", "verify", "--head", elsewhere, directory])).code, 0);
  });
});

Deno.test("audit verify names file, line and kind of what was changed, and exits with 1", async () => {
  await withDirectory(async (directory) => {
    const [oldest = ""] = await leaveLog(directory);
    await edit(oldest, (text) => text.replace('10.0.0.1"', '10.0.0.9"'));
    const edited = await run(["audit", "verify", directory]);
    assertEquals(edited.code, 1);
    assertStringIncludes(
      edited.out,
      `${oldest}:4: edited: entry 3 is not the one that entry 4 names\n`,
    );
    assertStringIncludes(edited.out, "1 findings in ");
  });
});

Deno.test("audit verify finds a file that is missing, cut off, or in the wrong order", async () => {
  await withDirectory(async (directory) => {
    const rotated = await leaveLog(directory);
    const [oldest = "", second = ""] = rotated;
    const swapped = [second, oldest, ...rotated.slice(2), `${directory}/${AUDIT_FILE}`];
    const moved = await run(["audit", "verify", ...swapped]);
    assertEquals(moved.code, 1);
    assertStringIncludes(moved.out, ":1: order: ");
    await edit(oldest, (text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    const cut = await run(["audit", "verify", "--no-head", oldest]);
    assertEquals(cut.code, 1);
    assertStringIncludes(cut.out, `${oldest}: truncated: ends with entry `);
    await Deno.remove(second);
    const missing = await run(["audit", "verify", directory]);
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.out, ":1: gap: entries ");
  });
});

Deno.test("audit verify finds what was removed at the end, and a head that is missing", async () => {
  await withDirectory(async (directory) => {
    await leaveLog(directory);
    const newest = `${directory}/${AUDIT_FILE}`;
    await edit(newest, (text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    const cut = await run(["audit", "verify", directory]);
    assertEquals(cut.code, 1);
    assertStringIncludes(cut.out, `${newest}: truncated: the head names entry `);
    await Deno.remove(`${directory}/${AUDIT_HEAD_FILE}`);
    const headless = await run(["audit", "verify", directory]);
    assertEquals(headless.code, 1);
    assertStringIncludes(headless.out, ": no-head: nothing tells whether entry ");
  });
});

Deno.test("audit verify may be run while the broker writes", async () => {
  await withDirectory(async (directory) => {
    const log = await openLog(await DirectoryAuditStorage.open(directory), {
      flushMs: 1,
      fileBytesMax: 100_000,
    });
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        log.record({ event: "connected", client: `c${i}` }, 1e12);
        if (i % 20 > 0) continue;
        await log.flush();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    for (let i = 0; i < 10; i++) {
      const { code, out } = await run(["audit", "verify", directory]);
      assertEquals(code, 0, out);
    }
    writing = false;
    await writer;
    await log.close("end");
  });
});

Deno.test("audit says why it cannot do what it is asked for", async () => {
  await withDirectory(async (directory) => {
    const complaints: [string[], number, string][] = [
      [["audit"], 2, "ACTION is missing"],
      [["audit", "verify"], 2, "FILE… is missing"],
      [["audit", "burn", "x"], 2, '"burn" is not verify'],
      [["audit", "verify", "--head", "h", "--no-head", "x"], 2, "--head and --no-head"],
      [["audit", "verify", directory], 1, "there is no audit log"],
      [["audit", "verify", `${directory}/none`], 1, "No such file"],
    ];
    for (const [args, code, message] of complaints) {
      const failed = await run(args);
      assertEquals([failed.code, failed.out], [code, ""] as unknown[], args.join(" "));
      assertStringIncludes(failed.err, message);
    }
  });
});
