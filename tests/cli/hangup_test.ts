/** SIGHUP is a wish to read files again; it never ends the broker, at whatever moment it comes. */
import { assert, assertEquals } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { withDirectory } from "./_running.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SERVE = deno.tasks.serve.split(" ").slice(1).map((word) =>
  word === "main.ts" ? `${ROOT}main.ts` : word
);
const STORM_MS = 5;

/** Sends SIGHUP again and again until it is stopped. */
function storm(child: Deno.ChildProcess): () => void {
  const timer = setInterval(() => {
    try {
      child.kill("SIGHUP");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  }, STORM_MS);
  return () => clearInterval(timer);
}

Deno.test("SIGHUP before the configuration is read, while the broker starts, runs and ends does not end it", async () => {
  await withDirectory(async (directory) => {
    const config = `${directory}/relayq.toml`;
    assert((await new Deno.Command("mkfifo", { args: [config] }).output()).success);
    const child = new Deno.Command(Deno.execPath(), {
      args: [...SERVE, "--config", config],
      cwd: directory,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // Opens when the broker opens it, too.
    const writer = await Deno.open(config, { write: true });
    const calm = storm(child);
    await new Promise((resolve) => setTimeout(resolve, 10 * STORM_MS));
    await writer.write(new TextEncoder().encode('[[listeners]]\naddress = "127.0.0.1:0"\n'));
    writer.close();
    let log = "";
    let asked = false;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (asked || !log.includes("started: relayq")) continue;
      asked = true;
      child.kill("SIGTERM");
    }
    const status = await child.status;
    calm();
    await child.stdout.cancel();
    assertEquals({ code: status.code, signal: status.signal }, { code: 0, signal: null }, log);
    assert(log.includes("stopping: SIGTERM"));
  });
});
