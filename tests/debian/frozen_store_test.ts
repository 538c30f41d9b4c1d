/** A store that does not answer at all: its thread is stopped by `ptrace`, as a dead disk would do it. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { inDirectory } from "../support/waiting.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SERVE = deno.tasks.serve.split(" ").slice(1).map((word) =>
  word === "main.ts" ? `${ROOT}main.ts` : word
);

/** Starts a broker, stops its worker, tells it to end; its exit code is the last line. */
const FREEZE = `
import ctypes, os, re, signal, subprocess, sys, time
PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
broker = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
while not re.search(rb"listens on", broker.stdout.readline()): pass
tasks = f"/proc/{broker.pid}/task"
workers = [int(t) for t in os.listdir(tasks) if open(f"{tasks}/{t}/comm").read().startswith("worker-")]
assert len(workers) == 1, workers
for command in (PTRACE_SEIZE, PTRACE_INTERRUPT):
    assert ptrace(command, workers[0], None, None) == 0, "ptrace is not allowed"
os.waitpid(workers[0], WALL)
broker.send_signal(signal.SIGTERM)
until = time.time() + 60
while broker.poll() is None and time.time() < until:
    try: os.waitpid(workers[0], WALL | os.WNOHANG)  # a traced thread ends when this sees it
    except ChildProcessError: pass
    time.sleep(0.05)
broker.kill()
print("exit code", broker.poll())
`;

Deno.test("a store that does not answer holds up the end for a while, not for ever, and is told by exit code 7", async () => {
  await inDirectory(async (directory) => {
    const config = `${directory}/relayq.toml`;
    await Deno.writeTextFile(
      config,
      `[[listeners]]\naddress = "127.0.0.1:0"\n[store]\ndata_dir = "${directory}/data"\n` +
        "[service]\ndrain_ms = 100\n",
    );
    const command = new Deno.Command("python3", {
      args: ["-c", FREEZE, Deno.execPath(), ...SERVE, "--config", config],
    });
    const { stdout, stderr } = await command.output();
    const log = new TextDecoder().decode(stderr);
    assertEquals(new TextDecoder().decode(stdout), "exit code 7\n", log);
    assertStringIncludes(log, "error stopping: the store does not answer");
  });
});
