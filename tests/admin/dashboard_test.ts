/** The Grafana dashboard speaks of metrics that there are. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { expressionsOf, readDashboard } from "./_dashboard.ts";
import { adminBroker, ask } from "./_http_client.ts";

/** Metrics that Prometheus itself makes for what it scrapes. */
const OF_PROMETHEUS = ["up"];

/** Names that samples of a page can have. */
function namesOf(page: string): Set<string> {
  const types = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    types.flatMap(([, name, type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!]
    ),
  );
}

/** Words of an expression that are names of metrics: what stands before a selector. */
function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{/g)].map(([, name]) => name!);
}

Deno.test("every expression of the dashboard is about metrics that exist", async () => {
  await using broker = await adminBroker({ sparkplug: { mode: "monitor" } });
  const page = (await ask(broker, "/metrics")).body;
  const names = namesOf(page).union(new Set(OF_PROMETHEUS));
  const dashboard = await readDashboard();
  const expressions = expressionsOf(dashboard);
  assertGreater(expressions.length, 40);
  for (const expression of expressions) {
    const metrics = metricsIn(expression);
    assert(metrics.length > 0, expression);
    assertEquals(metrics.filter((name) => !names.has(name)), [], expression);
    // A name without a selector would be of all brokers, and unseen above.
    const others = [...expression.matchAll(/\b(?:relayq|process)_\w+/g)].map(([name]) => name);
    assertEquals(others, metrics.filter((name) => !OF_PROMETHEUS.includes(name)), expression);
  }
  const [, instances] = dashboard.templating.list;
  const queried = /^label_values\((\w+), instance\)$/.exec(instances!.definition!)?.[1];
  assert(names.has(queried!), queried);
});

Deno.test("panels have ids and places of their own, and rates are taken of counters alone", async () => {
  await using broker = await adminBroker({ sparkplug: { mode: "monitor" } });
  const page = (await ask(broker, "/metrics")).body;
  const dashboard = await readDashboard();
  const { panels } = dashboard;
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  assertEquals(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length);
  assertEquals(panels.every(({ gridPos: { x, w } }) => x + w <= 24), true);
  for (const expression of expressionsOf(dashboard)) {
    for (const [, name] of expression.matchAll(/\b(?:rate|increase)\((\w+)/g)) {
      const family = name!.replace(/_bucket$/, "");
      const type = name === family ? "counter" : "histogram";
      assert(page.includes(`# TYPE ${family} ${type}\n`), `${name} is no ${type}`);
    }
  }
});
