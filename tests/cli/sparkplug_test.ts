/** `relayq sparkplug` on captures. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { captureText } from "../../src/sparkplug/judging.ts";
import { Plant } from "../sparkplug/_plant.ts";
import { run, withDirectory } from "./_running.ts";

async function report(text: string): Promise<{ code: number; out: string; err: string }> {
  let result = { code: -1, out: "", err: "" };
  await withDirectory(async (directory) => {
    const path = `${directory}/capture`;
    await Deno.writeTextFile(path, text);
    result = await run(["sparkplug", "report", path]);
    result.err = result.err.replaceAll(path, "FILE");
  });
  return result;
}

function captured(use: (plant: Plant) => void): string {
  const plant = new Plant({ recordedMessagesMax: 100 });
  use(plant);
  return captureText(plant.referee.recorder!.entries("G/E"));
}

Deno.test("sparkplug report grades each node of a capture, and exits with 0 or 5", async () => {
  const good = await report(captured((plant) => plant.bornDevice().ddata()));
  assertEquals([good.code, good.err], [0, ""]);
  assertStringIncludes(good.out, "G/E: conforming (3 messages");
  const loose = await report(captured((plant) => plant.bornNode().ndata({ qos: 1 })));
  assertEquals(loose.code, 0);
  assertStringIncludes(loose.out, "1 x tck-id-payloads-ndata-qos");
  const bad = await report(captured((plant) => plant.bornNode().ndata({ seq: 9 })));
  assertEquals(bad.code, 5);
  assertStringIncludes(bad.out, "last: 9 instead of 1");
});

Deno.test("sparkplug report tells what is wrong with a file", async () => {
  const expected = "Cannot read capture: FILE: line 1: this is no Sparkplug capture\n";
  assertEquals(await report("hello"), { code: 1, out: "", err: expected });
  const missing = await run(["sparkplug", "report", "/nonexistent/capture"]);
  assertEquals([missing.code, missing.out], [1, ""]);
  assertEquals((await run(["sparkplug", "judge", "x"])).code, 2);
});
