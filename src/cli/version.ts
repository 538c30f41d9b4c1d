import denoJson from "../../deno.json" with { type: "json" };
import type { CliIo } from "./cli_io.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** RelayQ's own version, as `deno.json` has it. */
export const VERSION: string = denoJson.version;

/** What only the build of a binary knows: `scripts/ship/bundle.ts` puts it here, in the bundle. */
export const BUILD = { commit: "@commit@" };

/** `relayq version [--json]`: tells the versions of the broker and of what it runs on. */
export const versionCommand: Command = {
  name: "version",
  summary: "Show the versions of RelayQ and its runtime",
  words: [],
  options: [{ name: "json", doc: "As one JSON object" }],
  run: version,
};

function version({ flags }: ParsedArguments, io: CliIo): number {
  const { deno, v8, typescript } = Deno.version;
  // From the sources it is whatever the sources are.
  const commit = BUILD.commit.startsWith("@") ? null : BUILD.commit;
  if (flags.has("json")) {
    io.out(`${JSON.stringify({ relayq: VERSION, commit, deno, v8, typescript })}\n`);
  } else {
    const built = commit === null ? "" : `commit ${commit}\n`;
    io.out(`relayq ${VERSION}\n${built}deno ${deno}\nv8 ${v8}\ntypescript ${typescript}\n`);
  }
  return EXIT_CODE.ok;
}
