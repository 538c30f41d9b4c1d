import { assertEquals } from "@std/assert";
import { nearestName } from "../../src/config/mod.ts";

Deno.test("the nearest name is found by insertions, deletions, replacements and swaps", () => {
  const names = ["serve", "check", "init", "version", "help"];
  for (
    const [word, name] of [
      ["serv", "serve"],
      ["servee", "serve"],
      ["sarve", "serve"],
      ["chekc", "check"],
      ["hlep", "help"],
      ["verison", "version"],
      ["init", "init"],
    ] as const
  ) assertEquals(nearestName(word, names), name);
});

Deno.test("words too far from every name, empty or endless ones have no nearest name", () => {
  for (const word of ["", "x", "xyz", "sxrxe", "banana", "serve".repeat(100)]) {
    assertEquals(nearestName(word, ["serve", "check", "init"]), undefined, word);
  }
  assertEquals(nearestName("serve", []), undefined);
});

Deno.test("a name that the word begins is near, and of equally near names the first is taken", () => {
  assertEquals(nearestName("expiry", ["interval_ms", "expiry_ms"]), "expiry_ms");
  assertEquals(nearestName("cat", ["bat", "car"]), "bat");
  assertEquals(nearestName("car", ["bar", "car"]), "car");
});
