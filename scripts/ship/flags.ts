/** The flags that the binary is made with: those of `deno task serve`, the one place that has them, and little more. */
import deno from "../../deno.json" with { type: "json" };

/** Flags of `deno run` that mean nothing to a program that is made already. */
const ONLY_FROM_SOURCE: ReadonlySet<string> = new Set(["--frozen"]);

/** Variables that other commands read or set, `relayq ctl`: a binary is all of them in one. */
const COMMAND_VARIABLES: readonly string[] = ["RELAYQ_TOKEN_FILE", "NO_PROXY"];

/** What a binary for small machines has besides: less memory for the same work, at a price. */
const SMALL_FLAGS: readonly string[] = ["--optimize-for-size", "--max-semi-space-size=1"];

/** What can be chosen of the memory. */
export interface MemoryChoice {
  /** For machines with 128 MB. */
  readonly small: boolean;
  /** Most MB of the JavaScript heap's old generation; null leaves it to V8. */
  readonly heapMb: number | null;
}

/** Permissions, unstable features and flags of V8, for `deno run` and `deno compile` alike. */
export function runtimeFlags({ small, heapMb }: MemoryChoice): string[] {
  const words = deno.tasks.serve.split(" ");
  const flags = words.slice(words.indexOf("run") + 1, words.indexOf("main.ts"))
    .filter((flag) => !ONLY_FROM_SOURCE.has(flag));
  const more = [
    ...(small ? SMALL_FLAGS : []),
    ...(heapMb === null ? [] : [`--max-old-space-size=${heapMb}`]),
  ];
  return flags.map((flag) => {
    // V8 takes the last of those that contradict each other.
    if (flag.startsWith("--v8-flags=")) return [flag, ...more].join(",");
    return flag.startsWith("--allow-env=") ? [flag, ...COMMAND_VARIABLES].join(",") : flag;
  });
}
