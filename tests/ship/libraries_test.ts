/** What is put into the image is what the loader of this machine would take. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { readElf } from "../../scripts/ship/elf.ts";
import { neededFiles } from "../../scripts/ship/libraries.ts";
import { BROKER_PATHS, BROKER_USER, makeRoot } from "../../scripts/ship/root_files.ts";
import { inDirectory } from "../support/waiting.ts";

const PROGRAM = Deno.execPath();

Deno.test("the libraries of a program are those that its loader finds", async () => {
  const files = await neededFiles(PROGRAM);
  const { interpreter } = readElf(await Deno.readFile(PROGRAM))!;
  const { stdout } = await new Deno.Command(interpreter!, { args: ["--list", PROGRAM] }).output();
  const listed = [...new TextDecoder().decode(stdout).matchAll(/(\/\S+) \(0x/g)];
  const real = (path: string) => Deno.realPathSync(path);
  const expected = new Set([...listed.map(([, path]) => real(path!)), real(interpreter!)]);
  assert(expected.size > 3);
  assertEquals(new Set(files.map(({ from }) => real(from))), expected);
});

Deno.test("a library that is not there is told, not left out", async () => {
  await inDirectory(async (directory) => {
    await assertRejects(() => neededFiles(PROGRAM, directory), Error, "Cannot find loader of");
    const { interpreter } = readElf(await Deno.readFile(PROGRAM))!;
    const folder = directory + interpreter!.slice(0, interpreter!.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true });
    await Deno.copyFile(interpreter!, directory + interpreter!);
    await assertRejects(() => neededFiles(PROGRAM, directory), Error, "Cannot find library of");
  });
});

Deno.test("a root directory has program, libraries, configuration, and one place to write", async () => {
  await inDirectory(async (directory) => {
    const root = `${directory}/root`;
    const files = await makeRoot(root, { program: "/bin/true" });
    const paths = files.map(({ path }) => path);
    assert(paths.includes(BROKER_PATHS.program) && paths.includes(BROKER_PATHS.config));
    assert(paths.some((path) => path.endsWith("/libc.so.6")));
    for (const { path, bytes } of files) {
      const { size, mode } = await Deno.stat(root + path);
      assertEquals([size, mode! & 0o022], [bytes, 0], path);
    }
    const data = await Deno.stat(root + BROKER_PATHS.data);
    assertEquals(data.mode! & 0o777, 0o700);
    if (Deno.uid() === 0) assertEquals([data.uid, data.gid], [BROKER_USER.id, BROKER_USER.id]);
  });
});
