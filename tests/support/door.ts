/** What tests of the door share: lines of refusals as an operator's tools find them, and counters. */
import { TestBroker } from "./test_broker.ts";
import { WireClient } from "./wire_client.ts";

/** The line of a refusal, as the README documents it; fail2ban puts its own pattern for the address. */
const REFUSAL =
  /^\S+ warn {2}login refused: address=(?<address>[0-9a-f.:]+) reason=(?<reason>[a-z-]+)\s/;

/** One line. */
export interface RefusalLine {
  readonly address: string;
  readonly reason: string;
  readonly line: string;
}

/** All lines about refusals so far; one that says so and has another form fails the test. */
export function refusalLines({ log }: TestBroker): RefusalLine[] {
  const lines = log.join("").split("\n").filter((line) => line.includes("refused: "));
  return lines.map((line) => {
    const groups = REFUSAL.exec(line)?.groups;
    if (groups === undefined) throw new Error(`Cannot read line of a refusal: ${line}`);
    return { address: groups.address!, reason: groups.reason!, line };
  });
}

/** Address and reason of every refusal in the log. */
export function refusals(broker: TestBroker): string[] {
  return refusalLines(broker).map(({ address, reason }) => `${address} ${reason}`);
}

/** The value of one `$SYS` topic, as soon as it is what was expected; fails after a while. */
export async function untilSys(
  broker: TestBroker,
  topic: string,
  expected: string,
): Promise<void> {
  using client = await WireClient.connect(broker.port, { clientIdentifier: "watcher" });
  await client.subscribe(`$SYS/broker/${topic}`);
  for (;;) {
    const { payload } = await client.receiveMessage();
    if (new TextDecoder().decode(payload) === expected) return;
  }
}

/** Whether a client from this address is let in by MQTT. */
export async function isLetIn(
  { port }: { readonly port: number },
  { from = "127.0.0.1", preamble = new Uint8Array(0) }: { from?: string; preamble?: Uint8Array } =
    {},
): Promise<boolean> {
  using client = await WireClient.openFrom(from, port);
  await client.sendBytes(preamble).catch(() => {});
  return await client.sendConnect().then(({ returnCode }) => returnCode === 0, () => false);
}
