import { assertEquals } from "@std/assert";
import { exampleConfig } from "../../src/config/mod.ts";
import { run, withDirectory } from "./_running.ts";

Deno.test("check says ok to the configuration that init has written", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/relayq.toml`;
    assertEquals(await run(["init", path]), { code: 0, out: `${path}: written\n`, err: "" });
    assertEquals(await Deno.readTextFile(path), exampleConfig());
    assertEquals(await run(["check", path]), { code: 0, out: `${path}: ok\n`, err: "" });
  });
});

Deno.test("init without a file writes to standard output", async () => {
  assertEquals(await run(["init"]), { code: 0, out: exampleConfig(), err: "" });
});

Deno.test("init leaves a file that exists as it is", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/relayq.toml`;
    await Deno.writeTextFile(path, "# mine");
    assertEquals(await run(["init", path]), {
      code: 1,
      out: "",
      err: `Cannot write config: ${path}: the file exists already\n`,
    });
    assertEquals(await Deno.readTextFile(path), "# mine");
    assertEquals(await run(["init", `${directory}/none/relayq.toml`]), {
      code: 1,
      out: "",
      err: `Cannot write config: ${directory}/none/relayq.toml: no such file or directory\n`,
    });
  });
});

Deno.test("check tells every mistake with file, line, column and what was meant", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/broken.toml`;
    await Deno.writeTextFile(
      path,
      `[limits]
conections_max = 5
connect_timeout_ms = 0
[queue]
full = "drop_newst"
full = "drop_newest"
[[listeners]]
address = "0.0.0.0:1883"
`,
    );
    assertEquals(await run(["check", path]), {
      code: 1,
      out: [
        ':2:1: limits.conections_max: unknown key; did you mean "connections_max"?',
        ":3:22: limits.connect_timeout_ms: 0 is below the minimum of 10",
        ':5:8: queue.full: "drop_newst" is not one of "drop_newest", "drop_oldest"; did you mean "drop_newest"?',
        ":6:1: queue.full: is set already, on line 5",
        ':8:11: listeners.address: "0.0.0.0:1883" can be reached from other machines and nobody is asked for a password: set security.password_file, or allow_anonymous = true to let everybody in, or use a loopback address',
      ].map((line) => `${path}${line}\n`).join(""),
      err: "",
    });
  });
});

Deno.test("check knows the statements that Sparkplug is judged by", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/relayq.toml`;
    const check = async (overrides: string) => {
      await Deno.writeTextFile(path, `[sparkplug]\noverrides = "${overrides}"\n`);
      return (await run(["check", path])).out.replace(`${path}:`, "");
    };
    assertEquals(await check("payloads-nbirth-qos=drop tck-id-topics-ncmd-mqtt=off"), " ok\n");
    assertEquals(
      await check("payloads-nbirth-qos=drop payloads-nbirt-retain=off"),
      '2:39: sparkplug.overrides: no rule judges by "tck-id-payloads-nbirt-retain"; ' +
        'did you mean "payloads-nbirth-retain"?\n',
    );
    assertEquals(
      await check("payloads-nbirth-qos=drp"),
      '2:34: sparkplug.overrides: unknown action "drp"; known: off, count, fix, drop, close; ' +
        'did you mean "drop"?\n',
    );
    assertEquals(
      await check("payloads-nbirth-qos"),
      '2:14: sparkplug.overrides: "payloads-nbirth-qos" is not of the form tck-id=action\n',
    );
  });
});

Deno.test("check of what cannot be read is told apart", async () => {
  await withDirectory(async (directory) => {
    const told = { "none.toml": "no such file or directory", ".": "it is a directory" };
    for (const [name, problem] of Object.entries(told)) {
      const path = `${directory}/${name}`;
      assertEquals(await run(["check", path]), {
        code: 1,
        out: "",
        err: `Cannot read config: ${path}: ${problem}\n`,
      });
    }
    const latin1 = `${directory}/latin1.toml`;
    await Deno.writeFile(latin1, Uint8Array.of(0x23, 0xe9, 0x0a));
    assertEquals(
      (await run(["check", latin1])).err,
      `Cannot read config: ${latin1}: the file is not UTF-8\n`,
    );
  });
});

Deno.test("check reads no more of an endless file than it can use", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/large.toml`;
    await Deno.writeTextFile(path, "");
    await Deno.truncate(path, 2 ** 40);
    assertEquals(await run(["check", path]), {
      code: 1,
      out: "",
      err: `Cannot read config: ${path}: the file is too long\n`,
    });
    await Deno.writeTextFile(path, "#".repeat(1_048_577));
    assertEquals(await run(["check", path]), {
      code: 1,
      out: `${path}:1:1: the file is longer than 1048576 characters\n`,
      err: "",
    });
  });
});

Deno.test("check takes files longer than one read, with a byte order mark and CRLF", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/long.toml`;
    const padding = `# ${"é".repeat(98)}\r\n`.repeat(3000);
    await Deno.writeTextFile(path, `\uFEFF[log]\r\n${padding}level = 'info'\r\n`);
    assertEquals(await run(["check", path]), { code: 0, out: `${path}: ok\n`, err: "" });
    await Deno.writeTextFile(path, `\uFEFF[log]\r\n${padding}level = 'x'\r\n`);
    assertEquals((await run(["check", path])).out.startsWith(`${path}:3002:9: log.level:`), true);
  });
});

Deno.test("a file whose name looks like a number or an option can be given", async () => {
  const { err } = await run(["check", "0x10"]);
  assertEquals(err, "Cannot read config: 0x10: no such file or directory\n");
  const behindDashes = await run(["check", "--", "--help"]);
  assertEquals(behindDashes.err, "Cannot read config: --help: no such file or directory\n");
});
