/** The machines that a binary is made for. */
import { ELF_MACHINE } from "./elf.ts";

/** A machine, and how `deno compile` is told of it. */
export interface Target {
  /** As on the command line and in the name of the binary. */
  readonly name: string;
  /**
   * What `deno compile --target` is given. It knows no armv7: we ask for another Linux, and see to the
   * machine ourselves.
   */
  readonly compileAs: string;
  readonly machine: number;
  readonly bits: 32 | 64;
  /** Whether the makers of Deno offer a runtime for it. */
  readonly official: boolean;
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  {
    name: "x86_64-unknown-linux-gnu",
    compileAs: "x86_64-unknown-linux-gnu",
    machine: ELF_MACHINE.x86_64,
    bits: 64,
    official: true,
  },
  {
    name: "aarch64-unknown-linux-gnu",
    compileAs: "aarch64-unknown-linux-gnu",
    machine: ELF_MACHINE.aarch64,
    bits: 64,
    official: true,
  },
  {
    name: "armv7-unknown-linux-gnueabihf",
    compileAs: "aarch64-unknown-linux-gnu",
    machine: ELF_MACHINE.arm,
    bits: 32,
    official: false,
  },
];

/** The targets that a word of the command line stands for; "all" for all. Throws where it is none. */
export function targetsOf(word: string): readonly Target[] {
  if (word === "all") return TARGETS;
  const found = TARGETS.filter(({ name }) => name === word);
  if (found.length > 0) return found;
  const names = TARGETS.map(({ name }) => name).join(", ");
  throw new Error(`Cannot read --target: "${word}" is none of ${names}, all`);
}
