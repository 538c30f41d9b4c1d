/** The script for BusyBox init starts, reloads and ends the broker, by BusyBox and by Debian's tools. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ENTRY, makeBundle } from "../../scripts/ship/bundle.ts";
import { runtimeFlags } from "../../scripts/ship/flags.ts";
import { eventually, inDirectory } from "../support/waiting.ts";

const SCRIPTS = new URL("../../scripts/", import.meta.url).pathname;
const IS_ROOT = Deno.uid() === 0;

/** A machine as the script sees it: programs, files and settings. */
interface Surroundings {
  readonly shell: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function call(verb: string, { shell, env }: Surroundings): Promise<[number, string]> {
  const [program, ...args] = shell;
  const command = new Deno.Command(program!, {
    args: [...args, `${SCRIPTS}relayq.init`, verb],
    env: { ...env },
    stdin: "null",
    // What goes on after the script must not hold on to our ends.
    stdout: "piped",
    stderr: "null",
  });
  const { code, stdout } = await command.output();
  return [code, new TextDecoder().decode(stdout).trim()];
}

for (const kind of ["BusyBox", "Debian"] as const) {
  Deno.test({
    name: `start, status, reload, restart and stop, with the tools of ${kind}${
      IS_ROOT ? "" : " (skipped: needs root)"
    }`,
    ignore: !IS_ROOT,
    async fn() {
      await inDirectory(async (directory) => {
        await Deno.chmod(directory, 0o755);
        const bundle = `${directory}/bundle`;
        for (const path of [bundle, `${directory}/deno`, `${directory}/tools`]) {
          await Deno.mkdir(path);
          await Deno.chmod(path, 0o777);
        }
        await makeBundle({ directory: bundle, commit: "test" });
        const config = `${directory}/relayq.toml`;
        const data = `${directory}/data`;
        const rules = `${directory}/access`;
        await Deno.writeTextFile(rules, "everyone\nallow all plant/#\n");
        await Deno.writeTextFile(
          config,
          `[[listeners]]\naddress = "127.0.0.1:0"\n[store]\ndata_dir = "${data}"\n` +
            `[security]\naccess_file = "${rules}"\n`,
        );
        if (kind === "BusyBox") {
          const busybox = "/usr/bin/busybox";
          for (const tool of ["start-stop-daemon", "tr", "grep", "cat", "sleep", "mkdir"]) {
            await Deno.symlink(busybox, `${directory}/tools/${tool}`);
          }
        }
        const sealed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];
        const flags = runtimeFlags({ small: false, heapMb: null });
        // Where Deno is installed may be closed to the user of the service.
        const runtime = `${directory}/relayq`;
        await Deno.copyFile(Deno.execPath(), runtime);
        const program = [runtime, "run", ...sealed, ...flags];
        const surroundings: Surroundings = {
          shell: kind === "BusyBox" ? ["busybox", "sh"] : ["dash"],
          env: {
            PATH: `${directory}/tools:/usr/sbin:/usr/bin:/sbin:/bin`,
            DENO_DIR: `${directory}/deno`,
            RELAYQ_PROGRAM: [...program, `${bundle}/${ENTRY}`].join(" "),
            RELAYQ_CONFIG: config,
            RELAYQ_DATA: data,
            RELAYQ_USER: "nobody:nogroup",
            RELAYQ_PIDFILE: `${directory}/relayq.pid`,
            RELAYQ_OUTPUT: `${directory}/relayq.out`,
            RELAYQ_FILES: "4096",
          },
        };
        await lifeOf(surroundings);
      });
    },
  });
}

async function lifeOf(surroundings: Surroundings): Promise<void> {
  const { RELAYQ_PIDFILE: pidFile, RELAYQ_OUTPUT: output, RELAYQ_DATA: data } = surroundings.env;
  const said = () => Deno.readTextFileSync(output!);
  assertEquals(await call("status", surroundings), [3, "relayq is not running"]);
  assertEquals(await call("start", surroundings), [0, "relayq started"]);
  try {
    await eventually("it serves", () => said().includes("started: relayq"));
    const pid = Deno.readTextFileSync(pidFile!).trim();
    assertEquals(await call("status", surroundings), [0, `relayq is running, process ${pid}`]);
    assertEquals(await call("start", surroundings), [0, "relayq is running"]);
    // It is the broker itself, not a shell in front of it, and not root.
    const facts = await processFacts(pid);
    assert(/^Name:\t(deno|relayq)/m.test(facts), facts);
    assert(/^Uid:\t[1-9]/m.test(facts) && /^Max open files\s+4096 /m.test(facts), facts);
    assertEquals(Deno.statSync(data!).mode! & 0o777, 0o700);
    assertEquals((await call("reload", surroundings))[0], 0);
    await eventually("it has read its files again", () => said().includes("reload done"));
    const [code, text] = await call("restart", surroundings);
    assertEquals([code, text.split("\n")], [0, ["relayq stopped", "relayq started"]]);
    assert(Deno.readTextFileSync(pidFile!).trim() !== pid);
    await eventually("it serves again", () => said().includes("started: relayq"));
  } finally {
    assertEquals(await call("stop", surroundings), [0, "relayq stopped"]);
  }
  assertStringIncludes(said(), "stopping: SIGTERM");
  assertEquals(await call("stop", surroundings), [0, "relayq is not running"]);
  assertEquals((await call("reload", surroundings))[0], 7);
  await inForeground(surroundings);
  Deno.writeTextFileSync(surroundings.env.RELAYQ_CONFIG!, "[store]\nkindd = 1\n");
  const [code, text] = await call("start", surroundings);
  assertEquals(code, 6);
  assertStringIncludes(text, "relayq.toml is wrong");
}

/** As `::respawn:` of BusyBox init has it: what it starts is the broker, and ends with it. */
async function inForeground(surroundings: Surroundings): Promise<void> {
  const [program, ...args] = surroundings.shell;
  const child = new Deno.Command(program!, {
    args: [...args, `${SCRIPTS}relayq.init`, "run"],
    env: { ...surroundings.env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  try {
    await eventually("it serves", () => said.includes("started: relayq"));
    const expected = `relayq is running, process ${child.pid}`;
    assertEquals(await call("status", surroundings), [0, expected]);
  } finally {
    child.kill("SIGTERM");
  }
  assertEquals((await child.status).code, 0);
  await reading;
}

/** The runtime's own permissions do not reach into `/proc`. */
async function processFacts(pid: string): Promise<string> {
  const args = [`/proc/${pid}/status`, `/proc/${pid}/limits`];
  const { stdout } = await new Deno.Command("cat", { args }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("all shell scripts pass shellcheck", async () => {
  const names = ["relayq.init", "relayq.openrc", "install_packages.sh"];
  const { code, stdout } = await new Deno.Command("shellcheck", {
    args: ["-s", "sh", ...names.map((name) => SCRIPTS + name)],
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
});
