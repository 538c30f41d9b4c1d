import { assertEquals, assertStringIncludes } from "@std/assert";
import type { RunServer } from "../../src/cli/mod.ts";
import { type Config, DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { run, withDirectory } from "./_running.ts";

const ANONYMITY =
  "can be reached from other machines and nobody is asked for a password: set security.password_file, or allow_anonymous = true to let everybody in, or use a loopback address";

Deno.test("serve without options runs the broker with the default configuration", async () => {
  const server = new RecordedServer(0);
  const { code, out, err } = await run(["serve"], server.run);
  assertEquals([code, err], [0, "err"]);
  assertStringIncludes(out, "listens on   127.0.0.1:1883   plain TCP");
  assertStringIncludes(out, "relayq-data/relayq.db: what is acknowledged has been through fsync");
  assertEquals(server.configs, [DEFAULT_CONFIG]);
});

Deno.test("serve exits with the code that the broker has shut down with", async () => {
  assertEquals((await run(["serve"], new RecordedServer(3).run)).code, 3);
});

Deno.test("serve takes configuration, addresses and data directory", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/relayq.toml`;
    await Deno.writeTextFile(path, "[log]\nlevel = 'debug'\n[store]\ndata_dir = 'theirs'");
    const server = new RecordedServer(0);
    const listen = ["--listen", "127.0.0.1:0", "--listen=[::1]:1884"];
    await run(["serve", "--config", path, ...listen, "--data-dir", "7"], server.run);
    await run(["serve", `--config=${path}`], server.run);
    assertEquals(server.configs, [
      {
        ...DEFAULT_CONFIG,
        listeners: [
          { ...DEFAULT_CONFIG.listeners[0]!, address: "127.0.0.1:0" },
          { ...DEFAULT_CONFIG.listeners[0]!, address: "[::1]:1884" },
        ],
        log: { ...DEFAULT_CONFIG.log, level: "debug" },
        store: { ...DEFAULT_CONFIG.store, dataDir: "7" },
      },
      {
        ...DEFAULT_CONFIG,
        log: { ...DEFAULT_CONFIG.log, level: "debug" },
        store: { ...DEFAULT_CONFIG.store, dataDir: "theirs" },
      },
    ]);
  });
});

Deno.test("serve refuses an address that is none as a usage error", async () => {
  const server = new RecordedServer(0);
  assertEquals(await run(["serve", "--listen", "1883"], server.run), {
    code: 2,
    out: "",
    err:
      'Cannot listen on "1883": must be "host:port", an IPv6 host in brackets; did you mean "127.0.0.1:1883"?\n',
  });
  assertEquals(await run(["serve", "--listen", "127.0.0.1:1", "--listen", "a:b"], server.run), {
    code: 2,
    out: "",
    err: 'Cannot listen on "a:b": the port must be a number from 0 to 65535\n',
  });
  assertEquals(server.configs, []);
});

Deno.test("serve refuses an address that others can reach unless the file allows it", async () => {
  await withDirectory(async (directory) => {
    const server = new RecordedServer(0);
    const listen = ["--listen", "0.0.0.0:1883"];
    const refused = { code: 1, out: "", err: `Cannot start: "0.0.0.0:1883" ${ANONYMITY}\n` };
    assertEquals(await run(["serve", ...listen], server.run), refused);
    const path = `${directory}/relayq.toml`;
    await Deno.writeTextFile(path, "[[listeners]]\nallow_anonymous = false");
    assertEquals(await run(["serve", "--config", path, ...listen], server.run), refused);
    assertEquals(server.configs, []);
    await Deno.writeTextFile(path, "[[listeners]]\nallow_anonymous = true");
    assertEquals((await run(["serve", "--config", path, ...listen], server.run)).code, 0);
    assertEquals(server.configs.map((config) => config.listeners), [
      [{ ...DEFAULT_CONFIG.listeners[0]!, address: "0.0.0.0:1883", allowAnonymous: true }],
    ]);
  });
});

Deno.test("serve refuses the same address twice", async () => {
  const listen = ["--listen", "127.0.0.1:1", "--listen", "127.0.0.1:1"];
  assertEquals(await run(["serve", ...listen], new RecordedServer(0).run), {
    code: 1,
    out: "",
    err: 'Cannot start: another listener has the address "127.0.0.1:1" already\n',
  });
});

Deno.test("serve does not start with a configuration that is wrong or not there", async () => {
  await withDirectory(async (directory) => {
    const server = new RecordedServer(0);
    const path = `${directory}/relayq.toml`;
    assertEquals(await run(["serve", "--config", path], server.run), {
      code: 1,
      out: "",
      err: `Cannot read config: ${path}: no such file or directory\n`,
    });
    await Deno.writeTextFile(path, "[log]\nlevl = 'info'\nlevel = 5");
    assertEquals(await run(["serve", "--config", path], server.run), {
      code: 1,
      out: "",
      err: `${path}:2:1: log.levl: unknown key; did you mean "level"?\n` +
        `${path}:3:9: log.level: must be a string, not an integer\n`,
    });
    assertEquals(server.configs, []);
  });
});

Deno.test("a fault of the broker ends in code 4 and is told with its stack", async () => {
  const { code, out, err } = await run(["serve"], () => Promise.reject(new Error("broken within")));
  assertEquals([code, out], [4, ""]);
  assertStringIncludes(err, "Internal error: Error: broken within\n    at ");
  assertEquals(
    (await run(["serve"], () => Promise.reject("a word"))).err,
    "Internal error: a word\n",
  );
});

/** Stands in the place of the broker: remembers its configurations and exits with a given code. */
class RecordedServer {
  readonly configs: Config[] = [];
  readonly run: RunServer;

  constructor(code: number) {
    this.run = (config, io) => {
      this.configs.push(config);
      io.started?.([{ transport: "tcp", hostname: "127.0.0.1", port: 1883 }], null);
      io.err("err");
      return Promise.resolve(code);
    };
  }
}
