/** Templates for the access file, through the reader of access files. */
import { assertEquals } from "@std/assert";
import { AccessRules, type ClientRules } from "../../src/security/mod.ts";
import { ACL_TEMPLATES } from "../../src/sparkplug/mod.ts";
import {
  asTopicFilter,
  asTopicName,
  type TopicFilter,
  type TopicName,
} from "../../src/mqtt/mod.ts";

function rulesOf(line: string): ClientRules {
  const parsed = AccessRules.parse(`everyone\n${line}\n`, { templates: ACL_TEMPLATES });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.value.for({ userName: null, clientIdentifier: "c", certificate: null });
}

function publishes(rules: ClientRules, topic: string): boolean {
  return rules.publish(asTopicName(topic) as TopicName);
}

function hears(rules: ClientRules, filter: string): boolean {
  return rules.subscribe(asTopicFilter(filter) as TopicFilter, 1) !== null;
}

Deno.test("a node speaks for itself and hears its commands", () => {
  const rules = rulesOf('use sparkplug-node "Plant 1" E');
  for (const type of ["NBIRTH", "NDATA", "NDEATH"]) {
    assertEquals(publishes(rules, `spBv1.0/Plant 1/${type}/E`), true);
    assertEquals(publishes(rules, `spBv1.0/Plant 1/${type}/Other`), false);
    assertEquals(publishes(rules, `spBv1.0/Other/${type}/E`), false);
  }
  for (const type of ["DBIRTH", "DDATA", "DDEATH"]) {
    assertEquals(publishes(rules, `spBv1.0/Plant 1/${type}/E/D`), true);
    assertEquals(publishes(rules, `spBv1.0/Plant 1/${type}/Other/D`), false);
  }
  for (const filter of ["NCMD/E", "NCMD/E/#", "DCMD/E/#", "DCMD/E/D"]) {
    assertEquals(hears(rules, `spBv1.0/Plant 1/${filter}`), true, filter);
  }
  assertEquals(hears(rules, "spBv1.0/STATE/H"), true);
  for (const filter of ["spBv1.0/#", "spBv1.0/Plant 1/NCMD/+", "#", "$sparkplug/#"]) {
    assertEquals(hears(rules, filter), false, filter);
  }
  assertEquals(publishes(rules, "spBv1.0/STATE/H"), false);
  assertEquals(publishes(rules, "spBv1.0/Plant 1/NCMD/E"), false);
});

Deno.test("a host hears all, commands all and speaks for itself; a viewer says nothing", () => {
  const host = rulesOf("use sparkplug-host H");
  const viewer = rulesOf("use sparkplug-viewer");
  for (const rules of [host, viewer]) {
    assertEquals(hears(rules, "spBv1.0/#"), true);
    assertEquals(hears(rules, "$sparkplug/certificates/#"), true);
    assertEquals(hears(rules, "#"), false);
    assertEquals(publishes(rules, "spBv1.0/G/NDATA/E"), false);
    assertEquals(publishes(rules, "$sparkplug/certificates/spBv1.0/G/NBIRTH/E"), false);
  }
  for (const topic of ["spBv1.0/STATE/H", "spBv1.0/G/NCMD/E", "spBv1.0/G/DCMD/E/D"]) {
    assertEquals(publishes(host, topic), true, topic);
    assertEquals(publishes(viewer, topic), false, topic);
  }
  assertEquals(publishes(host, "spBv1.0/STATE/Other"), false);
});

Deno.test("an identifier that would make levels or wildcards is refused", () => {
  for (const id of ["+", "a/b", "#", '""']) {
    const parsed = AccessRules.parse(`everyone\nuse sparkplug-node G ${id}\n`, {
      templates: ACL_TEMPLATES,
    });
    assertEquals(parsed.ok, false, id);
  }
});
