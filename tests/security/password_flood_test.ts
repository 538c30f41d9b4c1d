/** A flood of wrong passwords from many addresses, as a running broker meets it. Counts decide. */
import net from "node:net";
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { connectPacket, WireClient } from "../support/wire_client.ts";

const ALICE = { userName: "alice", password: encode("alice's") };
const ADDRESSES = 40;
const GUESSES_EACH = 50;
const FAILURES_MAX = 10;
const PAIRS = 4;
const MESSAGES = 250;
const LOGINS = 25;

/** The return code that a wrong password gets from this address, null if no CONNACK comes. */
function guess(port: number, localAddress: string): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  const login = { userName: "alice", password: encode("a guess") };
  socket.once("connect", () => socket.write(encodePacket(connectPacket(login))));
  socket.once("data", (bytes: Uint8Array) => {
    resolve(bytes[3]!);
    socket.destroy();
  });
  socket.once("error", () => resolve(null));
  socket.once("close", () => resolve(null));
  return promise;
}

/** Guesses one after the other from one address, and gives the answers. */
async function guessFrom(port: number, address: string): Promise<(number | null)[]> {
  const answers: (number | null)[] = [];
  while (answers.length < GUESSES_EACH) answers.push(await guess(port, address));
  return answers;
}

/** One publishes at QoS 1, one after the other; the other one gets it. Gives what arrived. */
async function talk(port: number, pair: number): Promise<string[]> {
  const names = { ...ALICE, clientIdentifier: `subscriber-${pair}` };
  using subscriber = await WireClient.connect(port, names);
  await subscriber.subscribe(`pair/${pair}`, 1);
  using publisher = await WireClient.connect(port, {
    ...ALICE,
    clientIdentifier: `publisher-${pair}`,
  });
  const received: string[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    await publisher.publish(`pair/${pair}`, `${i}`, { qos: 1 });
    received.push(new TextDecoder().decode((await subscriber.receiveMessage()).payload));
  }
  return received;
}

async function logIn(port: number): Promise<number[]> {
  const codes: number[] = [];
  while (codes.length < LOGINS) {
    using client = await WireClient.open(port);
    codes.push((await client.sendConnect(ALICE)).returnCode);
  }
  return codes;
}

Deno.test("2,000 wrong passwords from 40 addresses keep no good client out and cost no message", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's" });
  await using broker = await TestBroker.start({
    security: { passwordFile },
    loginGuard: { failuresMax: FAILURES_MAX },
    store: { kind: "memory" },
  });
  const { port } = broker;
  const [answers, logins, ...talks] = await Promise.all([
    Promise.all(
      Array.from({ length: ADDRESSES }, (_, index) => guessFrom(port, `127.9.1.${1 + index}`)),
    ),
    logIn(port),
    ...Array.from({ length: PAIRS }, (_, pair) => talk(port, pair)),
  ]);
  const each = [
    ...Array(FAILURES_MAX).fill(4),
    ...Array(GUESSES_EACH - FAILURES_MAX).fill(null),
  ];
  assertEquals(answers, Array(ADDRESSES).fill(each), "checked, then locked out");
  assertEquals(logins, Array(LOGINS).fill(0));
  const sent = Array.from({ length: MESSAGES }, (_, i) => `${i}`);
  assertEquals(talks, Array(PAIRS).fill(sent));
  const refusals = broker.log.join("").split("\n").filter((line) => line.includes("login refused"));
  const wrong = refusals.filter((line) => line.includes("reason=bad-credentials"));
  assertEquals(wrong.length, ADDRESSES * FAILURES_MAX);
  assertEquals(refusals.filter((line) => line.includes("address=127.0.0.1 ")), []);
});

Deno.test("a flood of wrong passwords leaves no connection and no session behind", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's" });
  await using broker = await TestBroker.start({ security: { passwordFile } });
  using watcher = await WireClient.connect(broker.port, ALICE);
  const addresses = Array.from({ length: 200 }, (_, index) => `127.9.2.${1 + index}`);
  await Promise.all(addresses.map((address) => guess(broker.port, address)));
  await watcher.drain();
  const { statistics } = broker.server.broker;
  const { clientsConnected, sessions, subscriptions } = statistics;
  // Sockets that were refused may still be closing.
  for (let i = 0; statistics.connectionsOpen > 1 && i < 500; i++) await watcher.drain();
  assertEquals({ clientsConnected, sessions, subscriptions }, {
    clientsConnected: 1,
    sessions: 1,
    subscriptions: 0,
  });
  assertEquals(statistics.connectionsOpen, 1);
});
