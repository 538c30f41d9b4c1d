/**
 * What `deno task compile` writes. Without `denort`, a small program stands in its place: the rest
 * of the file is the same.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { filesBeside } from "../../scripts/ship/bundle.ts";
import { runtimeFlags } from "../../scripts/ship/flags.ts";
import { ELF_MACHINE, readElf } from "../../scripts/ship/elf.ts";
import { type BinarySection, readSection } from "../../scripts/ship/section.ts";
import { inDirectory } from "../support/waiting.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NAME = `relayq-${deno.version}-${Deno.build.target}`;
const [COMPILE, ...COMPILE_ARGS] = deno.tasks.compile.split(" ");
const LIMIT_MS = 120_000;
/** The name that the content of a note has in front of it. */
const NOTE_NAME = new TextEncoder().encode("d3n0l4nd");

interface Compiled {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function compile(
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Compiled> {
  assertEquals(COMPILE, "deno");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...COMPILE_ARGS, ...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A program of this machine that names the version, as `denort` does. */
async function standIn(directory: string): Promise<string> {
  const path = `${directory}/stand-in`;
  const bytes = await Deno.readFile("/bin/true");
  const version = new TextEncoder().encode(` Deno/${Deno.version.deno} `);
  await Deno.writeFile(path, new Uint8Array([...bytes, ...version]));
  return path;
}

async function sectionOf(path: string): Promise<BinarySection> {
  const section = readSection(await Deno.readFile(path));
  assert(section !== null);
  return section;
}

Deno.test("a binary embeds entry and workers, and grants what `deno task serve` does", async () => {
  await inDirectory(async (directory) => {
    const denort = await standIn(directory);
    const output = `${directory}/dist`;
    const args = ["--output", output, "--denort", denort, "--untried", "--commit", "abc123"];
    const { code, err } = await compile(args);
    assertEquals([code, err], [0, ""]);
    const { facts, files, timesMs } = await sectionOf(`${output}/${NAME}`);
    const beside = [...(await filesBeside()).keys()].map((name) => name.replace(/\.ts$/, ".mjs"));
    for (const name of ["main.mjs", ...beside]) {
      const found = [...files.keys()].some((path) => path === name || path.startsWith(name));
      assert(found, `${name} is not in ${[...files.keys()]}`);
    }
    assertEquals([...files.keys()].filter((path) => path.includes("node_modules")), []);
    assertEquals(facts.entrypoint_key, "main.mjs");
    assertEquals([...timesMs], [0]);
    assertEquals([facts.app_name, facts.argv, facts.code_cache_key], ["relayq", [], null]);
    assertEquals(facts.unstable_config.features, ["net"]);
    for (const flag of ["--max-semi-space-size=4", "--expose-gc"]) {
      assert(facts.v8_flags.includes(flag), flag);
    }
    const granted = Object.entries(facts.permissions)
      .filter(([name, list]) => name.startsWith("allow_") && list !== null);
    // Of what may be imported there is always a list; everything is embedded, and npm is not asked.
    assertEquals(
      Object.fromEntries(granted.filter(([name]) => name !== "allow_import")),
      Object.fromEntries(
        runtimeFlags({ small: false, heapMb: null }).flatMap((flag) => {
          const [, name, list] = /^--allow-([a-z]+)(?:=(.*))?$/.exec(flag) ?? [];
          return name === undefined ? [] : [[`allow_${name}`, list?.split(",") ?? []] as const];
        }),
      ),
    );
    assertEquals([facts.permissions.allow_run, facts.permissions.allow_ffi], [null, null]);
    assertEquals(facts.permissions.prompt, false);
    const main = new TextDecoder().decode(files.get("main.mjs"));
    assertStringIncludes(main, '"abc123"');
    // Nothing of it is fetched when it runs.
    for (const [path, bytes] of files) await Deno.writeFile(`${directory}/${path}`, bytes);
    const info = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-config", "--no-lock", `${directory}/main.mjs`],
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(info.stdout));
    const names = (modules as { specifier: string; error?: string }[]).map(
      ({ specifier, error }) => {
        assertEquals(error, undefined);
        return specifier;
      },
    );
    assert(names.includes("node:sqlite"));
    assertEquals(names.filter((name) => !/^(node:|file:.*\/main\.mjs$)/.test(name)), []);
    const sums = await new Deno.Command("sha256sum", {
      args: ["--check", "--strict", "SHA256SUMS"],
      cwd: output,
    }).output();
    assertEquals(new TextDecoder().decode(sums.stdout), `${NAME}: OK\n`);
  });
});

Deno.test("two builds in two folders, from two copies of the sources, give the same bytes", async () => {
  await inDirectory(async (directory) => {
    const denort = await standIn(directory);
    const copy = `${directory}/another/place`;
    await Deno.mkdir(copy, { recursive: true });
    // No more than the build stage of the image has.
    const dockerfile = await Deno.readTextFile(`${ROOT}Dockerfile`);
    const lists = [...dockerfile.matchAll(/^COPY (?!--)(.*) \S+$/gm)];
    const names = lists.flatMap(([, list]) => list!.split(" "));
    assert(names.includes("src"));
    for (const name of names) {
      const { success } = await new Deno.Command("cp", { args: ["-R", ROOT + name, copy] })
        .output();
      assert(success);
    }
    const args = ["--denort", denort, "--untried", "--commit", "abc123", "--code-cache"];
    const made: Uint8Array[] = [];
    for (const cwd of [ROOT, copy]) {
      const output = `${directory}/dist-${made.length}`;
      const { code, err } = await compile([...args, "--output", output], { cwd });
      assertEquals([code, err], [0, ""]);
      made.push(await Deno.readFile(`${output}/${NAME}`));
    }
    assertEquals(made[0]!.length, made[1]!.length);
    assert(made[0]!.every((byte, index) => byte === made[1]![index]));
    assert(readSection(made[0]!)!.facts.code_cache_key !== null);
  });
});

const ARM_COMPILER = "arm-linux-gnueabihf-gcc";
const HAS_ARM = await new Deno.Command(ARM_COMPILER, { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

for (const kind of ["-pie", "-no-pie"]) {
  Deno.test({
    name: `a program for armv7 (${kind}) finds in its memory what was embedded${
      HAS_ARM ? "" : ` (skipped: no ${ARM_COMPILER})`
    }`,
    ignore: !HAS_ARM,
    async fn() {
      await inDirectory(async (directory) => {
        const name = "armv7-unknown-linux-gnueabihf";
        const denort = `${directory}/denort-${name}`;
        const source = new URL("./find_note.c", import.meta.url).pathname;
        const version = `-DVERSION="${Deno.version.deno}"`;
        const made = await new Deno.Command(ARM_COMPILER, {
          args: ["-Wall", "-Werror", kind, version, "-o", denort, source],
        }).output();
        assertEquals(new TextDecoder().decode(made.stderr), "");
        const output = `${directory}/dist`;
        const flags = ["--target", name, "--denort-dir", directory, "--output", output];
        const { code, err } = await compile(flags);
        assertEquals([code, err], [0, ""]);
        const path = `${output}/relayq-${deno.version}-${name}`;
        const binary = await Deno.readFile(path);
        const { machine, bits, needed } = readElf(binary)!;
        assertEquals([machine, bits, needed], [ELF_MACHINE.arm, 32, ["libc.so.6"]]);
        const found = await new Deno.Command("qemu-arm-static", {
          args: ["-L", "/usr/arm-linux-gnueabihf", path],
        }).output();
        assertEquals(found.code, 0);
        // The same as in a binary of 64 bits: facts, files, and everything else.
        const section = readSection(new Uint8Array([...NOTE_NAME, ...found.stdout]));
        assertEquals(section?.facts.entrypoint_key, "main.mjs");
        assertEquals(section, readSection(binary));
      });
    },
  });
}

Deno.test("one runtime is not taken for several machines, and a mistake is told before the work", async () => {
  const told: [string[], string][] = [
    [["--target", "all", "--denort", "/bin/true"], "Cannot read --denort: it is for one target"],
    [["--target", "all"], "Cannot use DENORT_BIN: it is for one target"],
    [["--target", "mips"], 'Cannot read --target: "mips" is none of'],
    [["--heap-mb", "many"], "Cannot read --heap-mb: not a whole number"],
    [["--taget", "all"], 'Cannot read arguments: unknown "--taget"'],
    [["--denort", "/bin/true"], "--denort /bin/true: not of version"],
  ];
  for (const [args, problem] of told) {
    const { code, err } = await compile(args, { env: { DENORT_BIN: "/bin/true" } });
    assertEquals(code, 1);
    assertStringIncludes(err, problem);
  }
});

Deno.test("what is no denort is found out by running it, and not left in the folder", async () => {
  await inDirectory(async (directory) => {
    const denort = await standIn(directory);
    const output = `${directory}/dist`;
    const { code, err } = await compile(["--output", output, "--denort", denort]);
    assertEquals(code, 1);
    assertStringIncludes(err, "so what it begins with is not denort (it said: nothing)");
    assertEquals([...Deno.readDirSync(output)], []);
  });
});

Deno.test("a server that does not answer holds nothing up: one message, and the ways out", async () => {
  // As a firewall that swallows everything: the proxy takes connections and says nothing.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const accepting = (async () => {
    try {
      for (;;) taken.push(await listener.accept());
    } catch {
      // closed
    }
  })();
  const proxy = `http://127.0.0.1:${listener.addr.port}`;
  await inDirectory(async (directory) => {
    const { code, err } = await compile(["--output", directory, "--download-s", "3"], {
      env: { HTTPS_PROXY: proxy, HTTP_PROXY: proxy },
    });
    assertEquals(code, 1);
    assertStringIncludes(err, "deno did not get one within 3 s");
    assertStringIncludes(err, `It needs denort ${Deno.version.deno} for ${Deno.build.target}`);
    assertEquals([...Deno.readDirSync(directory)], []);
  });
  assert(taken.length > 0, "deno asked");
  for (const conn of taken) conn.close();
  listener.close();
  await accepting;
});
