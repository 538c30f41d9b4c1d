/** Waiting for what comes some time soon. */
import { assert } from "@std/assert";

const PATIENCE_MS = 30_000;

/** Resolves when the condition holds; fails if that takes for ever. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!await condition()) {
    assert(performance.now() < deadline, `not in ${PATIENCE_MS / 1000} s: ${what}`);
    await pause(20);
  }
}

/** Resolves after so long, or a little later. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Gives `use` a directory of its own and removes it in the end. */
export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
