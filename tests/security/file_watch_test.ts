/** Files that change are noticed, and what cannot be read leaves everything as it was. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { Server } from "../../src/server.ts";
import { type FileMarks, fileMarks, FileWatch } from "../../src/system/mod.ts";
import { encode, passwordFileText, SecurityFiles } from "../support/security_files.ts";
import {
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { text, WireClient } from "../support/wire_client.ts";

const CHECK_MS = 20;
const ROUNDS_MAX = 400;

/** Waits until it is so, not for ever. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; !await isSo(); round++) {
    if (round === ROUNDS_MAX) throw new Error("Cannot wait any longer");
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
  }
}

function count(broker: TestBroker, what: string): number {
  return broker.log.join("").split(what).length - 1;
}

async function returnCode(broker: TestBroker, userName: string): Promise<number> {
  using client = await WireClient.open(broker.port);
  return (await client.sendConnect({ userName, password: encode("right") })).returnCode;
}

/** A directory as Kubernetes mounts secrets: each file is a link through one link that is swapped. */
async function mount(directory: string, content: string): Promise<string> {
  const path = `${directory}/mounted`;
  const version = `${directory}/v${crypto.randomUUID()}`;
  await Deno.mkdir(version);
  await Deno.writeTextFile(`${version}/passwords`, content);
  await Deno.symlink(version, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
  return `${path}/passwords`;
}

Deno.test("a file is read again when it is written, replaced, or its link is set elsewhere", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await mount(files.directory, await passwordFileText({ a: "right" }));
  await using broker = await TestBroker.start({
    security: { passwordFile, fileCheckMs: CHECK_MS },
  });
  assertEquals(await returnCode(broker, "a"), 0);
  await mount(files.directory, await passwordFileText({ b: "right" }));
  await until(async () => await returnCode(broker, "b") === 0);
  const next = `${files.directory}/next`;
  await Deno.writeTextFile(next, await passwordFileText({ c: "right" }));
  await Deno.rename(next, await Deno.realPath(passwordFile));
  await until(async () => await returnCode(broker, "c") === 0);
  await Deno.writeTextFile(passwordFile, await passwordFileText({ d: "right" }));
  await until(async () => await returnCode(broker, "d") === 0);
  assertEquals(await returnCode(broker, "a"), 4);
});

Deno.test("only the file that has changed is read again, and a bad one is told once", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ a: "right" });
  const accessFile = await files.access("everyone\nallow all #\n");
  await using broker = await TestBroker.start({
    security: { passwordFile, accessFile, fileCheckMs: CHECK_MS },
    sysTopics: { enabled: true, intervalMs: 100 },
  });
  await files.access("everyone\nallow all other/#\n");
  await until(() => count(broker, "reload done: access rules\n") === 1);
  assertEquals(count(broker, "passwords"), 0);
  await files.access("everyone\nalow all #\n");
  await until(() => count(broker, "reload failed, this is as it was: ") === 1);
  await new Promise((resolve) => setTimeout(resolve, 20 * CHECK_MS));
  assertEquals(count(broker, "reload failed"), 1);
  using client = await WireClient.connect(broker.port, {
    userName: "a",
    password: encode("right"),
  });
  assertEquals((await client.subscribe("t")).returnCodes, [0x80], "as it was");
  const figures = async () => {
    using reader = await WireClient.connect(broker.port, {
      userName: "a",
      password: encode("right"),
    });
    await reader.subscribe("$SYS/broker/reload/#");
    const packets = await reader.drain();
    return new Map(
      packets.flatMap((packet) =>
        packet.type === "PUBLISH"
          ? [[packet.topic.slice("$SYS/broker/reload/".length), text(packet.payload)]]
          : []
      ),
    );
  };
  assertEquals((await figures()).size, 0, "nobody may read them by these rules");
  await files.access("everyone\nallow all $SYS/#\n");
  await until(() => count(broker, "reload done: access rules\n") === 2);
  await until(async () => (await figures()).get("stale") === "0");
  const healed = await figures();
  assertEquals([healed.get("ok"), healed.get("failed")], ["2", "1"]);
  await Deno.remove(accessFile);
  await until(() => count(broker, "reload failed") === 2);
  await until(async () => (await figures()).get("stale") === "1");
  assert(Date.parse((await figures()).get("stale-since")!) <= Date.now());
});

Deno.test({
  name: `a certificate and a key that change one after the other are read together${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  fn: async () => {
    const directory = temporaryDirectory();
    const ca = await TestAuthority.root(directory, "ca");
    const make = () => ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
    const [old, fresh]: IssuedFiles[] = [await make(), await make()];
    const paths = { certificateFile: `${directory}/s.pem`, keyFile: `${directory}/s.key` };
    await Deno.copyFile(old!.certificateFile, paths.certificateFile);
    await Deno.copyFile(old!.keyFile, paths.keyFile);
    const security = { fileCheckMs: 1_000 };
    await using broker = await TestBroker.start({ security }, { listener: paths });
    await Deno.copyFile(fresh!.certificateFile, paths.certificateFile);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Deno.copyFile(fresh!.keyFile, paths.keyFile);
    await until(() => count(broker, "reload done: certificates of listener") === 1);
    using client = await TlsClient.connect({ port: broker.port });
    await client.send(Uint8Array.of(0));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assertEquals(count(broker, "reload"), 1, broker.log.join(""));
  },
});

Deno.test("files that come to rest are told together, and one that never does is told nevertheless", async () => {
  await using files = await SecurityFiles.make();
  const [one, two] = [`${files.directory}/one`, `${files.directory}/two`];
  const told: string[][] = [];
  const marks: FileMarks = await fileMarks([one, two]);
  const changed = (paths: ReadonlySet<string>) => void told.push([...paths]);
  const watch = new FileWatch({ paths: [one, two], intervalMs: 100, changed }, marks);
  await Deno.writeTextFile(one, "1");
  await Deno.writeTextFile(two, "2");
  await until(() => told.length > 0);
  assertEquals(told, [[one, two]]);
  for (let round = 0; told.length < 2 && round < ROUNDS_MAX; round++) {
    await Deno.writeTextFile(one, "1".repeat(round + 2));
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
  }
  assertEquals(told[1], [one]);
  await watch.stop();
});

Deno.test("a FIFO, a directory, a device and a file without end hang neither start nor reload", async () => {
  await using files = await SecurityFiles.make();
  const fifo = `${files.directory}/fifo`;
  const made = await new Deno.Command("mkfifo", { args: [fifo] }).output();
  assert(made.success);
  const dataDir = `${files.directory}/data`;
  const { security, listeners } = DEFAULT_CONFIG;
  for (
    const [path, what] of [
      [fifo, "it is not a regular file"],
      ["/dev/zero", "it is not a regular file"],
      [files.directory, "it is a directory"],
    ]
  ) {
    for (const key of ["passwordFile", "accessFile", "pinFile"]) {
      const config = {
        ...DEFAULT_CONFIG,
        listeners: [{ ...listeners[0]!, address: "127.0.0.1:0" }],
        security: { ...security, [key]: path },
        store: { ...DEFAULT_CONFIG.store, dataDir },
      };
      const server = await Server.start(config, { err: () => {} });
      assert("problem" in server);
      assertEquals(server.problem, `${path}: ${what}`);
    }
  }
  const passwordFile = await files.passwords({ a: "right" });
  await using broker = await TestBroker.start({ security: { passwordFile } });
  await Deno.remove(passwordFile);
  await Deno.rename(fifo, passwordFile);
  await broker.server.reload();
  assertStringIncludes(broker.log.join(""), "it is not a regular file");
  assertEquals(await returnCode(broker, "a"), 0);
});

Deno.test("a hundred thousand users are read without holding the event loop up", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ a: "right" });
  await using broker = await TestBroker.start({ security: { passwordFile } });
  const [line] = (await Deno.readTextFile(passwordFile)).split("\n");
  const many = Array.from({ length: 99_000 }, (_, i) => line!.replace("a:", `user-${i}:`));
  await Deno.writeTextFile(passwordFile, [line, ...many].join("\n"));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await broker.server.reload();
  clearInterval(timer);
  assert(turns >= 10, `the loop turned ${turns} times`);
  assertStringIncludes(broker.log.join(""), "reload done: passwords");
  assertEquals(await returnCode(broker, "user-98999"), 0);
});

Deno.test("a file on a drive that does not answer holds up no other, and is asked for once", async () => {
  const marks = new Map([["dead", "d"], ["one", "1"]]);
  const told: string[] = [];
  const answer = Promise.withResolvers<string>();
  let asked = 0;
  const markOf = (path: string): Promise<string> => {
    if (path === "one") return Promise.resolve(marks.get(path)!);
    asked++;
    return answer.promise; // no test has such a drive
  };
  const changed = (paths: ReadonlySet<string>) => void told.push(...paths);
  const options = { paths: [...marks.keys()], intervalMs: 20, changed, markOf };
  const watch = new FileWatch(options, new Map(marks));
  marks.set("one", "2");
  await until(() => told.length > 0);
  await watch.note(); // as before all files are read
  assertEquals([told, asked], [["one"], 1]);
  answer.resolve("d");
  await watch.stop();
  assertEquals(told, ["one"]);
});
