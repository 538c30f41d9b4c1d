/** Which runtime a binary begins with, and what is said where there is none. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type DenortSources, findDenort } from "../../scripts/ship/denort.ts";
import { type Target, targetsOf } from "../../scripts/ship/targets.ts";
import { inDirectory } from "../support/waiting.ts";
import { elfOf } from "./_elf.ts";

const NONE: DenortSources = { path: null, directory: null, environment: null };
const VERSION = "2.9.6";
const [X86, AARCH64, ARMV7] = targetsOf("all") as [Target, Target, Target];

function find(target: Target, sources: Partial<DenortSources>): Promise<string | null> {
  return findDenort(target, { sources: { ...NONE, ...sources }, version: VERSION });
}

async function refusal(target: Target, sources: Partial<DenortSources>): Promise<string> {
  const error = await assertRejects(() => find(target, sources), Error);
  // The file, the version, both ways.
  for (const told of [`denort-${target.name}`, VERSION, "DENORT_BIN", "--denort-dir"]) {
    assertStringIncludes(error.message, told);
  }
  return error.message.split("\n")[0]!;
}

Deno.test("without a word deno may look for the runtimes that are offered", async () => {
  assertEquals(await find(X86, {}), null);
  assertEquals(await find(AARCH64, {}), null);
  const none = "Cannot compile for armv7-unknown-linux-gnueabihf: no runtime: ";
  assertEquals(await refusal(ARMV7, {}), `${none}none is offered for this machine`);
});

Deno.test("a runtime must be of the target's machine and of deno's version", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/denort`;
    for (const target of [X86, AARCH64, ARMV7]) {
      await Deno.writeFile(path, elfOf({ ...target, text: `x Deno/${VERSION} y` }));
      assertEquals(await find(target, { environment: path }), path);
      assertEquals(await find(target, { path }), path);
      await Deno.writeFile(path, elfOf({ ...target, text: "x Deno/2.9.5 y" }));
      assertStringIncludes(await refusal(target, { path }), "not of version 2.9.6");
      for (const other of [`1${VERSION}`, `${VERSION}0`, `1.${VERSION}`]) {
        await Deno.writeFile(path, elfOf({ ...target, text: `Deno/${other}` }));
        assertStringIncludes(await refusal(target, { path }), "not of version 2.9.6");
      }
    }
    await Deno.writeFile(path, elfOf({ ...AARCH64, text: VERSION }));
    const machine = "made for another machine (ELF machine 183, 64 bits; wanted 40, 32 bits)";
    assertStringIncludes(
      await refusal(ARMV7, { environment: path }),
      `DENORT_BIN ${path}: ${machine}`,
    );
    await Deno.writeTextFile(path, `#!/bin/sh\necho ${VERSION}\n`);
    assertStringIncludes(await refusal(X86, { path }), "not an ELF file");
    assertStringIncludes(await refusal(X86, { path: `${path}-` }), "no such file");
  });
});

Deno.test("a version is found wherever it stands, also where two reads meet", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/denort`;
    for (const before of [8_388_608 - 64 - 3, 8_388_608 - 64, 9_000_000]) {
      await Deno.writeFile(path, elfOf({ ...X86, text: " ".repeat(before) + VERSION }));
      assertEquals(await find(X86, { path }), path);
    }
  });
});

Deno.test("a folder has one for each target, by one of two names", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/denort-${X86.name}`, elfOf({ ...X86, text: VERSION }));
    await Deno.mkdir(`${directory}/${ARMV7.name}`);
    await Deno.writeFile(`${directory}/${ARMV7.name}/denort`, elfOf({ ...ARMV7, text: VERSION }));
    assertEquals(await find(X86, { directory }), `${directory}/denort-${X86.name}`);
    assertEquals(await find(ARMV7, { directory }), `${directory}/${ARMV7.name}/denort`);
    assertStringIncludes(await refusal(AARCH64, { directory }), "no such file");
  });
});
