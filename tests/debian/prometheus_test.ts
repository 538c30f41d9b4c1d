/** Debian's promtool and Prometheus against a real broker. Fails where they are missing. */
import { assert, assertEquals } from "@std/assert";
import { expressionsOf, readDashboard } from "../admin/_dashboard.ts";
import { adminBroker, ask } from "../admin/_http_client.ts";
import type { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

const TOKEN = "b7f1c2d3e4f5061728394a5b6c7d8e9f";

async function promtool(
  args: readonly string[],
  input = "",
): Promise<{ code: number; text: string }> {
  const child = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function traffic({ port }: TestBroker): Promise<void> {
  const stored = { clientIdentifier: "s", cleanSession: false };
  using subscriber = await WireClient.connect(port, stored);
  await subscriber.subscribe("t", 1);
  using publisher = await WireClient.connect(port, { clientIdentifier: "p" });
  for (let i = 0; i < 5; i++) await publisher.publish("t", "x", { qos: 1 });
  for (let i = 0; i < 5; i++) await subscriber.receiveMessage();
}

Deno.test("promtool finds nothing to say of the metrics, before and behind traffic", async () => {
  await using broker = await adminBroker({ sparkplug: { mode: "monitor" } });
  for (const prepare of [() => Promise.resolve(), () => traffic(broker)]) {
    await prepare();
    const { body } = await ask(broker, "/metrics");
    assertEquals(await promtool(["check", "metrics"], body), { code: 0, text: "" });
  }
  const { code } = await promtool(["check", "metrics"], "# TYPE x counter\nx 1\n");
  assertEquals(code, 3, "what is against the conventions is found");
});

Deno.test("every expression of the dashboard is one for Prometheus", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const expressions = expressionsOf(await readDashboard());
    const rules = expressions.map((expression, index) => ({
      record: `rule:${index}`,
      expr: expression.replaceAll("$__rate_interval", "1m"),
    }));
    await Deno.writeTextFile(
      `${directory}/rules.yml`,
      JSON.stringify({ groups: [{ name: "dashboard", rules }] }),
    );
    const { code, text } = await promtool(["check", "rules", `${directory}/rules.yml`]);
    assertEquals(code, 0, text);
    assert(text.includes(`${rules.length} rules found`), text);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** A Prometheus that scrapes a broker. */
class Prometheus implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #directory: string;
  readonly #port: number;

  private constructor(child: Deno.ChildProcess, directory: string, port: number) {
    this.#child = child;
    this.#directory = directory;
    this.#port = port;
  }

  static async start(target: number): Promise<Prometheus> {
    const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
    const port = freePort();
    const config = {
      global: { scrape_interval: "1s", scrape_timeout: "1s" },
      scrape_configs: [{
        job_name: "relayq",
        authorization: { credentials: TOKEN },
        static_configs: [{ targets: [`127.0.0.1:${target}`] }],
      }],
    };
    await Deno.writeTextFile(`${directory}/prometheus.yml`, JSON.stringify(config));
    const child = new Deno.Command("prometheus", {
      args: [
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    return new Prometheus(child, directory, port);
  }

  /** The value of an expression; null where there is none, or nobody answers. */
  async value(expression: string): Promise<number | null> {
    const query = new URLSearchParams({ query: expression });
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}/api/v1/query?${query}`);
      const { data } = await response.json();
      return data === undefined || data.result.length === 0
        ? null
        : Number(data.result[0].value[1]);
    } catch {
      return null; // it has not started yet
    }
  }

  /** Waits until an expression has a value. */
  async until(expression: string, holds: (value: number) => boolean): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const value = await this.value(expression);
      if (value !== null && holds(value)) return;
      assert(performance.now() < deadline, `not in 60 s: ${expression} is ${value}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("Prometheus scrapes a broker with a bearer token, and the dashboard has what to show", async () => {
  const sha256 = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(TOKEN)),
  ).toHex();
  await using broker = await adminBroker({
    admin: { metricsTokenSha256: sha256 },
    sparkplug: { mode: "monitor" },
  });
  await using prometheus = await Prometheus.start(broker.server.adminAddress!.port);
  await prometheus.until("up", (value) => value === 1);
  await traffic(broker);
  await prometheus.until("relayq_publish_received_total", (value) => value === 5);
  await prometheus.until("relayq_publish_latency_seconds_count", (value) => value === 5);
  await prometheus.until("relayq_loop_lag_seconds_count", (value) => value > 30);
  await prometheus.until("rate(relayq_packets_received_total[10s])", (value) => value > 0);
  const samples = await prometheus.value("scrape_samples_scraped");
  assert(samples !== null && samples < 1000, `${samples} samples`);
  const unanswered: string[] = [];
  for (const expression of expressionsOf(await readDashboard())) {
    const written = expression.replaceAll("$__rate_interval", "10s").replaceAll("$instance", ".*");
    // What has not happened yet, such as TLS here, has no value.
    if (await prometheus.value(written) === null) unanswered.push(expression);
  }
  assertEquals(
    unanswered.filter((expression) => !/_tls_|_protocol_errors_|_violations_/.test(expression)),
    [],
  );
});
