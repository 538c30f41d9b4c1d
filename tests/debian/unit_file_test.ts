/** The unit file as systemd judges it. */
import { assertEquals, assertLessOrEqual } from "@std/assert";

const UNIT = new URL("../../scripts/relayq.service", import.meta.url).pathname;
const EXPOSURE_MAX = 1.5;

async function analyze(...args: string[]): Promise<string> {
  const env = { NO_COLOR: "1", SYSTEMD_COLORS: "0" };
  const { stdout, stderr } = await new Deno.Command("systemd-analyze", { args, env }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

Deno.test("systemd reads the unit file without a complaint, but for the binary that is not there", async () => {
  const complaints = (await analyze("verify", UNIT)).split("\n").filter((line) =>
    line !== "" && !line.includes("/usr/bin/relayq is not executable")
  );
  assertEquals(complaints, []);
});

Deno.test("systemd finds the unit well protected", async () => {
  const text = await analyze("security", "--offline=true", UNIT);
  const exposure = Number(/Overall exposure level for relayq.service: ([\d.]+)/.exec(text)?.[1]);
  assertLessOrEqual(exposure, EXPOSURE_MAX, text);
});
