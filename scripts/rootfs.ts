/** `deno task rootfs`: the root directory of the container image, made without Docker. */
import { parseArgs } from "@std/cli";
import deno from "../deno.json" with { type: "json" };
import { makeRoot } from "./ship/root_files.ts";

const USAGE = `Usage: deno task rootfs [options]
  --binary PATH    the binary (dist/relayq-${deno.version}-${Deno.build.target})
  --output DIR     where the root directory goes; it must not be there (dist/rootfs)
  --sysroot DIR    where the libraries of the binary's machine are (this machine's)`;

async function main(args: readonly string[]): Promise<void> {
  const flags = parseArgs(args, {
    string: ["binary", "output", "sysroot"],
    boolean: ["help"],
    unknown: refuse,
  });
  if (flags["help"] === true) return say(USAGE);
  const program = String(flags["binary"] ?? `dist/relayq-${deno.version}-${Deno.build.target}`);
  const output = String(flags["output"] ?? "dist/rootfs");
  if (await isThere(output)) throw new Error(`Cannot make root directory: ${output} is there`);
  if (!await isThere(program)) {
    throw new Error(`Cannot make root directory: no ${program}; run deno task compile`);
  }
  const sysroot = String(flags["sysroot"] ?? "");
  const files = await makeRoot(output, { program, sysroot });
  let total = 0;
  for (const { path, bytes } of files.toSorted((a, b) => b.bytes - a.bytes)) {
    say(`${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${path}`);
    total += bytes;
  }
  say(`${(total / 1e6).toFixed(2).padStart(8)} MB  in ${files.length} files in ${output}`);
}

function refuse(word: string): never {
  throw new Error(`Cannot read arguments: unknown "${word}"\n${USAGE}`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    Deno.exit(1);
  }
}
