/** What `commit` has promised is there after kill -9, and comes back after a disk that was full. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { text } from "../support/wire_client.ts";
import { Random } from "./_random_records.ts";
import { databasePath, openStore } from "./_sqlite.ts";

const ROUNDS = 10;
const PATIENCE_MS = 20_000;

Deno.test("every batch that was committed survives kill -9 at any moment, whole", async () => {
  const path = databasePath();
  const random = new Random(Date.now());
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawn("_kill_child.ts", [path]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let printed = "";
    const killed = readUntilEnd(lines, (part) => printed += part);
    await until(() => printed.includes("\n"));
    await delay(random.below(250));
    child.kill("SIGKILL");
    await killed;
    await child.status;
    const promised = Math.max(...printed.split("\n").slice(0, -1).map(Number));
    const last = await lastCommitted(path);
    assertGreaterOrEqual(last, promised, `round ${round}`);
    assert(promised > before, "the child went on from where it was");
    before = last;
  }
});

/** The number of the last batch in the database, which must be there as a whole. */
async function lastCommitted(path: string): Promise<number> {
  const store = await openStore(path);
  const { sessions, retained } = store.load();
  const last = Number(text(retained[0]!.message.payload));
  const found = sessions[0]!.deliveries.map(({ sequence, message }) => {
    assertEquals(Number(text(message.payload)), sequence);
    return sequence;
  });
  const first = Math.max(1, last - 49);
  assertEquals(found, Array.from({ length: last - first + 1 }, (_, index) => first + index));
  await store.close();
  return last;
}

Deno.test({
  name: "while the disk is full nothing is promised, and it is when there is room again",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const path = databasePath();
    // A limit on the size of files, which is lifted later, stands for the full disk.
    const script = `trap "" XFSZ; exec prlimit --fsize=400000:unlimited -- "$0" "$@"`;
    const child = spawn("_full_child.ts", [path], ["sh", "-c", script]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let printed = "";
    const ended = readUntilEnd(lines, (part) => printed += part);
    await until(() => printed.includes("waits"));
    await delay(300);
    assert(!printed.includes("committed"), printed);
    const lift = ["--pid", `${child.pid}`, "--fsize=unlimited"];
    await new Deno.Command("prlimit", { args: lift }).output();
    await ended;
    assert((await child.status).success);
    const [trouble, ...rest] = printed.trim().split("\n");
    assert(/^trouble: Cannot commit: .*(full|I\/O)/.test(trouble!), trouble);
    assertEquals(rest, ["waits", "committed", "trouble: null"]);
    const store = await openStore(path);
    assertEquals(store.load().retained.length, 40);
    await store.close();
  },
});

function spawn(script: string, args: string[], wrapper: string[] = []): Deno.ChildProcess {
  const file = new URL(script, import.meta.url).pathname;
  const run = [Deno.execPath(), "run", "--no-prompt", "-RW", file, ...args];
  const [command, ...rest] = [...wrapper, ...run];
  return new Deno.Command(command!, { args: rest, stdout: "piped" }).spawn();
}

async function readUntilEnd(
  reader: ReadableStreamDefaultReader<string>,
  take: (part: string) => void,
): Promise<void> {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    take(value);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("Cannot see output: child is silent");
    await delay(5);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
