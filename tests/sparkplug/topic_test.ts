import { assertEquals } from "@std/assert";
import { parseTopic } from "../../src/sparkplug/mod.ts";

const NODE_TYPES = ["NBIRTH", "NDATA", "NDEATH", "NCMD"] as const;
const DEVICE_TYPES = ["DBIRTH", "DDATA", "DDEATH", "DCMD"] as const;

function faultOf(topic: string): string {
  const parsed = parseTopic(topic);
  return parsed?.kind === "fault" ? parsed.tckId : JSON.stringify(parsed);
}

Deno.test("every legal shape is read, with blanks and letters of any script in its identifiers", () => {
  const ids = { kind: "topic", version: "spBv1.0", group: "Sparkplug B", node: "Füllanlage 1" };
  for (const type of NODE_TYPES) {
    assertEquals(parseTopic(`spBv1.0/Sparkplug B/${type}/Füllanlage 1`), {
      ...ids,
      type,
      device: null,
      host: null,
    } as ReturnType<typeof parseTopic>);
  }
  for (const type of DEVICE_TYPES) {
    assertEquals(parseTopic(`spBv1.0/Sparkplug B/${type}/Füllanlage 1/水泵`), {
      ...ids,
      type,
      device: "水泵",
      host: null,
    } as ReturnType<typeof parseTopic>);
  }
  const state = parseTopic("spBv1.0/STATE/scada 1");
  assertEquals(state?.kind === "topic" && [state.type, state.host], ["STATE", "scada 1"]);
});

Deno.test("with exactly three levels STATE is a host, with four it may be a group", () => {
  const host = parseTopic("spBv1.0/STATE/NBIRTH");
  assertEquals(host?.kind === "topic" && host.host, "NBIRTH");
  const group = parseTopic("spBv1.0/STATE/NBIRTH/E");
  assertEquals(group?.kind === "topic" && [group.type, group.group], ["NBIRTH", "STATE"]);
});

Deno.test("topics outside of the namespace are nobody's business", () => {
  for (const topic of ["", "spBv1.0", "spbv1.0/G/NBIRTH/E", "STATE/H", "x/spBv1.0/G/NBIRTH/E"]) {
    assertEquals(parseTopic(topic), null, topic);
  }
});

Deno.test("every illegal shape names the statement that it breaks", () => {
  const structure = "tck-id-topic-structure";
  const cases: readonly (readonly [string, string])[] = [
    ["spBv1.0/G/FOO/E", structure],
    ["spBv1.0/G/nbirth/E", structure],
    ["spBv1.0/G/NRECORD/E", structure],
    ["spBv1.0/G/__proto__/E", structure],
    ["spBv1.0/G/NBIRTH", structure],
    ["spBv1.0/G", structure],
    ["spBv1.0/", structure],
    ["spBv1.0/G/DBIRTH/E/D/x", structure],
    ["spBv1.0/G/STATE/H", structure],
    ["spBv1.0/STATE/H/x", structure],
    ["spBv1.0/STATE", structure],
    ["spBv1.0/STATE/", structure],
    ["spBv1.0//NBIRTH/E", `${structure}-namespace-valid-group-id`],
    ["spBv1.0/G/NBIRTH/", `${structure}-namespace-valid-edge-node-id`],
    ["spBv1.0/G/DBIRTH/E/", `${structure}-namespace-valid-device-id`],
    ["spAv1.0/G/NBIRTH/E", `${structure}-namespace-a`],
    ...NODE_TYPES.map((type) =>
      [
        `spBv1.0/G/${type}/E/D`,
        `${structure}-namespace-device-id-non-associated-message-types`,
      ] as const
    ),
    ...DEVICE_TYPES.map((type) =>
      [
        `spBv1.0/G/${type}/E`,
        `${structure}-namespace-device-id-associated-message-types`,
      ] as const
    ),
  ];
  for (const [topic, id] of cases) assertEquals(faultOf(topic), id, topic);
});
