import { assert, assertEquals } from "@std/assert";
import { ELF_MACHINE, readElf } from "../../scripts/ship/elf.ts";
import { elfOf } from "./_elf.ts";

const MACHINES = new Map([["x86_64", ELF_MACHINE.x86_64], ["aarch64", ELF_MACHINE.aarch64]]);

Deno.test("the runtime of this machine is an ELF file with a loader and the C library", async () => {
  const elf = readElf(await Deno.readFile(Deno.execPath()));
  assertEquals([elf?.machine, elf?.bits], [MACHINES.get(Deno.build.arch), 64]);
  assert(elf?.interpreter?.includes("ld-linux"));
  assert(elf?.needed.includes("libc.so.6"));
});

Deno.test("machines of 32 and 64 bits are told apart", () => {
  for (const [machine, bits] of [[ELF_MACHINE.arm, 32], [ELF_MACHINE.aarch64, 64]] as const) {
    assertEquals(readElf(elfOf({ machine, bits })), {
      machine,
      bits,
      interpreter: null,
      needed: [],
    });
  }
});

Deno.test("what is no ELF file, or cut off, is none", async () => {
  assertEquals(readElf(new Uint8Array()), null);
  assertEquals(readElf(new TextEncoder().encode("#!/bin/sh\n".repeat(10))), null);
  const whole = await Deno.readFile(Deno.execPath());
  assertEquals(readElf(whole.subarray(0, 300)), null);
});
