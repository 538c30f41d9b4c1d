/** The recipes for Yocto and Buildroot say what is so, and install what they say. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { TARGETS } from "../../scripts/ship/targets.ts";
import { writeSums } from "../../scripts/ship/sums.ts";
import { inDirectory } from "../support/waiting.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const RECIPE = await Deno.readTextFile(
  `${ROOT}scripts/yocto/relayq/relayq_${deno.version}.bb`,
);
const MAKEFILE = `${ROOT}scripts/buildroot/relayq/relayq.mk`;

async function run(program: string, args: readonly string[]): Promise<[number, string]> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
}

Deno.test("the recipe for Yocto names the licence as it is, all targets, and files that there are", async () => {
  const [, sum] = await run("md5sum", [`${ROOT}LICENSE`]);
  assertStringIncludes(RECIPE, `LICENSE = "${deno.license}"`);
  assertStringIncludes(RECIPE, `file://LICENSE;md5=${sum.slice(0, 32)}"`);
  for (const { name } of TARGETS) assertStringIncludes(RECIPE, `= "${name}"`);
  for (const [, name] of RECIPE.matchAll(/file:\/\/(relayq\.(?:service|init))/g)) {
    await Deno.stat(`${ROOT}scripts/${name}`);
  }
  for (const flag of ["INHIBIT_PACKAGE_STRIP", "INHIBIT_SYSROOT_STRIP"]) {
    assertStringIncludes(RECIPE, `${flag} = "1"`);
  }
});

/** What Buildroot would do: the same variables, and its commands one after the other. */
async function install(
  directory: string,
  { target, more = [] }: { target: string; more?: readonly string[] },
): Promise<[number, string]> {
  const stub = `${directory}/Makefile`;
  await Deno.writeTextFile(
    stub,
    `qstrip = $(strip $(subst ",,$(1)))
INSTALL = install
TARGET_DIR = ${directory}/target
include ${MAKEFILE}
${directory}/dist/.stamp:
	$(RELAYQ_CHECK_SUM)
	$(RELAYQ_INSTALL_TARGET_CMDS)
	$(RELAYQ_INSTALL_INIT_SYSTEMD)
	$(RELAYQ_INSTALL_INIT_SYSV)
	$(RELAYQ_INSTALL_INIT_OPENRC)
.PHONY: ${directory}/dist/.stamp
`,
  );
  return await run("make", [
    "-f",
    stub,
    `${directory}/dist/.stamp`,
    `${target}=y`,
    "BR2_PACKAGE_RELAYQ=y",
    `BR2_PACKAGE_RELAYQ_DIST="${directory}/dist"`,
    `BR2_PACKAGE_RELAYQ_CONFIG="${directory}/relayq.toml"`,
    ...more,
  ]);
}

Deno.test("the package for Buildroot installs the binary of its machine, and only if its sum is right", async () => {
  const machines = ["BR2_x86_64", "BR2_aarch64", "BR2_ARM_CPU_ARMV7A"];
  await inDirectory(async (directory) => {
    const dist = `${directory}/dist`;
    await Deno.mkdir(dist);
    await Deno.writeTextFile(`${directory}/relayq.toml`, "# empty\n");
    for (const name of ["relayq.service", "relayq.init", "relayq.openrc"]) {
      await Deno.copyFile(`${ROOT}scripts/${name}`, `${dist}/${name}`);
    }
    for (const { name } of TARGETS) {
      await Deno.writeTextFile(`${dist}/relayq-${deno.version}-${name}`, name);
    }
    await writeSums(dist);
    for (const [index, machine] of machines.entries()) {
      const [code, said] = await install(directory, { target: machine });
      assertEquals(code, 0, said);
      const installed = await Deno.readTextFile(`${directory}/target/usr/bin/relayq`);
      assertEquals(installed, TARGETS[index]!.name);
    }
    for (const path of ["etc/relayq/relayq.toml", "etc/init.d/S50relayq", "etc/init.d/relayq"]) {
      await Deno.stat(`${directory}/target/${path}`);
    }
    // Stripped, it would be broken.
    const stripping = { target: "BR2_x86_64", more: ["BR2_STRIP_strip=y"] };
    const [refused, why] = await install(directory, stripping);
    assert(refused !== 0);
    assertStringIncludes(why, "relayq must not be stripped");
    const excluded = [...stripping.more, 'BR2_STRIP_EXCLUDE_FILES="relayq other"'];
    assertEquals((await install(directory, { ...stripping, more: excluded }))[0], 0);
    await Deno.writeTextFile(`${dist}/relayq-${deno.version}-${TARGETS[0]!.name}`, "another");
    assert((await install(directory, { target: "BR2_x86_64" }))[0] !== 0);
  });
  const text = await Deno.readTextFile(MAKEFILE);
  assertStringIncludes(text, `RELAYQ_VERSION = ${deno.version}\n`);
  assertStringIncludes(text, `RELAYQ_LICENSE = ${deno.license}\n`);
});
