/** The Dockerfile agrees with what else says the same: it cannot be built here. */
import { assert, assertEquals } from "@std/assert";
import { BROKER_PATHS, BROKER_USER } from "../../scripts/ship/root_files.ts";

const ROOT = new URL("../../", import.meta.url);
const TEXT = await Deno.readTextFile(new URL("Dockerfile", ROOT));
/** Without comments, continued lines joined. */
const LINES = TEXT.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n").filter(
  Boolean,
);
const LAST = LINES.slice(LINES.findLastIndex((line) => line.startsWith("FROM ")));

function only(instruction: string): string {
  const found = LAST.filter((line) => line.startsWith(`${instruction} `));
  assertEquals(found.length, 1, instruction);
  return found[0]!.slice(instruction.length + 1);
}

Deno.test("the last stage begins with nothing and runs the binary as the user of the root directory", () => {
  const { id } = BROKER_USER;
  assertEquals(LAST[0], "FROM scratch");
  assertEquals(only("USER"), `${id}:${id}`);
  assertEquals(JSON.parse(only("ENTRYPOINT")), [BROKER_PATHS.program]);
  assertEquals(JSON.parse(only("CMD")), ["serve", "--config", BROKER_PATHS.config]);
  assertEquals(only("VOLUME"), BROKER_PATHS.data);
  assertEquals(LAST.filter((line) => line.startsWith("RUN ")), [], "there is no shell");
  const data = LAST.find((line) => line.includes("--chown="));
  assert(data?.includes(`--chown=${id}:${id} /rootfs${BROKER_PATHS.data} ${BROKER_PATHS.data}`));
});

Deno.test("the health check asks the broker, without a shell", () => {
  const [, command] = /CMD (\[.*\])$/.exec(only("HEALTHCHECK")) ?? [];
  const expected = [BROKER_PATHS.program, "ctl", "health", "--config", BROKER_PATHS.config];
  assertEquals(JSON.parse(command!), expected);
});

Deno.test("it is built with the version of Deno that the README names, of files that are there", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, version] = /deno@(\d+\.\d+\.\d+)/.exec(TEXT) ?? [];
  assertEquals(version, /npx -y deno@(\d+\.\d+\.\d+)/.exec(readme)?.[1]);
  const copied = LINES.filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(" ").slice(1, -1));
  assert(copied.includes("deno.lock"));
  for (const path of copied) await Deno.stat(new URL(path, ROOT));
});
