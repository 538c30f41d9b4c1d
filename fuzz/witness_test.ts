/** The oracle of operation sequences: what it must notice, and what it must not mistake. */
import { assertEquals } from "@std/assert";
import { Core } from "../tests/broker/_core.ts";
import { Witness } from "./_witness.ts";

/** What the witness says after one client has published these payloads. */
function verdict(...payloads: string[]): string | null {
  const core = new Core();
  const witness = new Witness(core);
  const client = core.connect({ clientIdentifier: "b" });
  payloads.forEach((payload, at) => {
    client.publish("a", payload, { qos: 1, packetId: at + 1 });
    witness.answer();
  });
  return witness.problem();
}

Deno.test("the witness of the fuzzer notices a message that comes twice or too late", () => {
  assertEquals(verdict("b1:1", "b1:2", "b2:3"), null);
  assertEquals(verdict("b1:1", "b1:1"), "came out of order: b1:1");
  assertEquals(verdict("b1:2", "b1:1"), "came out of order: b1:1");
});

Deno.test("garbage that swallows the beginning of a message is no message out of order", () => {
  // Seed 21113108: garbage became a PUBLISH, and what followed it its payload.
  assertEquals(verdict("b1:1", "\ufffd /4\t/b2:", "\ufffd /4\t/b2:"), null);
});

Deno.test("the witness notices a message that was acknowledged and never came", () => {
  const core = new Core();
  const witness = new Witness(core);
  witness.acknowledged("b1:1");
  assertEquals(witness.problem(), "acknowledged and lost: b1:1");
});
