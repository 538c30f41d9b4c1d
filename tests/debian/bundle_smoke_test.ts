/**
 * What a binary embeds, run by the runtime of this machine with exactly the permissions and flags of
 * a binary: the nearest to one that runs where `denort` is not.
 */
import { assertEquals } from "@std/assert";
import { ENTRY, makeBundle } from "../../scripts/ship/bundle.ts";
import { runtimeFlags } from "../../scripts/ship/flags.ts";
import { smoke } from "../../scripts/ship/smoke.ts";
import { inDirectory } from "../support/waiting.ts";

Deno.test("the bundle serves at all QoS, over TLS, WebSocket and after kill -9, with the permissions of a binary", async () => {
  await inDirectory(async (directory) => {
    const bundle = `${directory}/bundle`;
    const work = `${directory}/work`;
    for (const path of [bundle, work]) await Deno.mkdir(path);
    await makeBundle({ directory: bundle, commit: "0123456789abcdef" });
    const flags = runtimeFlags({ small: false, heapMb: null });
    const sealed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];
    const command = [Deno.execPath(), "run", ...sealed, ...flags, `${bundle}/${ENTRY}`];
    const passed: string[] = [];
    await smoke({
      command,
      directory: work,
      tls: true,
      patienceMs: 30_000,
      passed: (what) => passed.push(what),
    });
    assertEquals(passed.length, 8, passed.join(", "));
    const { stdout } = await new Deno.Command(command[0]!, {
      args: [...command.slice(1), "version", "--json"],
    }).output();
    assertEquals(JSON.parse(new TextDecoder().decode(stdout)).commit, "0123456789abcdef");
  });
});
