/** `kill -9` of a broker with the SQLite store: what was acknowledged is there afterwards. */
import { assert, assertEquals } from "@std/assert";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";

const ROUNDS = 5;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

interface Served {
  readonly child: Deno.ChildProcess;
  readonly port: number;
}

async function serve(config: string): Promise<Served> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", MAIN].concat(
      ["serve", "--config", config],
    ),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let banner = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout.values({ preventCancel: true })) {
    banner += decoder.decode(chunk, { stream: true });
    const port = /listens on\s+127\.0\.0\.1:(\d+)/.exec(banner)?.[1];
    if (port !== undefined) return { child, port: Number(port) };
  }
  throw new Error(`Cannot start broker: ${banner}`);
}

async function kill({ child }: Served): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
  await child.stdout.cancel();
}

/** Publishes with a window until the broker is gone; gives how many were acknowledged. */
async function flood(port: number, from: number): Promise<number> {
  using publisher = await WireClient.connect(port, { clientIdentifier: "publisher" });
  let acknowledged = from;
  try {
    for (let sent = from;; sent++) {
      const packetId = 1 + sent % 60_000;
      await publisher.send(publishPacket("t", `${sent}`, { qos: 1, packetId }));
      if (sent - acknowledged < 32) continue;
      await publisher.expect("PUBACK");
      acknowledged++;
    }
  } catch {
    return acknowledged; // the broker was killed
  }
}

Deno.test("nothing acknowledged at QoS 1 is lost over kill -9 with the SQLite store", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${directory}/relayq.toml`;
  await Deno.writeTextFile(
    config,
    `[[listeners]]\naddress = "127.0.0.1:0"\n[limits]\nsessions_max = 10\n` +
      `[store]\nkind = "sqlite"\ndata_dir = "${directory}/data"\n[queue]\nmessages_max = 1000000\n`,
  );
  const away = { clientIdentifier: "away", cleanSession: false };
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const broker = await serve(config);
    if (round === 0) {
      using client = await WireClient.connect(broker.port, away);
      await client.subscribe("t", 1);
      await client.disconnect();
    }
    const flooded = flood(broker.port, acknowledged);
    await new Promise((resolve) => setTimeout(resolve, 150 + 70 * round));
    await kill(broker);
    acknowledged = await flooded;
  }
  assert(acknowledged > ROUNDS);
  const broker = await serve(config);
  using client = await WireClient.connect(broker.port, away);
  const seen = new Set<number>();
  while (seen.size < acknowledged) {
    const message = await client.receiveMessage();
    const number = Number(text(message.payload));
    if (number < acknowledged) seen.add(number);
  }
  assertEquals(seen.size, acknowledged);
  client.close();
  await kill(broker);
  await Deno.remove(directory, { recursive: true });
});
