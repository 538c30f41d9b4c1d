/** Every cell of the matrix of TLS over real sockets, against a running broker. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { SecurityFiles } from "../support/security_files.ts";
import { NEEDS_OPENSSL, OPENSSL } from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import {
  certificateOf,
  IDENTITY,
  listenerOf,
  makeTlsCellFiles,
  TLS_CELLS,
  type TlsCell,
} from "../support/tls_cells.ts";
import { TlsClient } from "../support/tls_client.ts";
import { WebSocketClient } from "../support/websocket_client.ts";
import { concatenate, connectPacket, filter } from "../support/wire_client.ts";

/** What carries MQTT above TLS. */
interface Transport {
  readonly name: string;
  readonly listener: Partial<ListenerConfig>;
  /** Sends these bytes of MQTT; gives as many as are awaited, null if the broker ends it before. */
  ask(client: TlsClient, question: { bytes: Uint8Array; awaited: number }): Promise<
    Uint8Array | null
  >;
}

const TRANSPORTS: readonly Transport[] = [
  { name: "TCP", listener: {}, ask: askOverTcp },
  { name: "WebSocket", listener: { websocketPath: "/mqtt" }, ask: askOverWebSocket },
];

/** Whoever is let in may subscribe to what has his name, and to nothing else. */
const ACCESS = "anonymous\nallow subscribe as/anonymous\n\nauthenticated\nallow subscribe as/%u\n";
const NAMES = ["anonymous", IDENTITY];
const REFUSED_SUBSCRIPTION = 0x80;

let files: ReturnType<typeof makeTlsCellFiles> | null = null;

for (const transport of TRANSPORTS) {
  for (const cell of TLS_CELLS) {
    Deno.test({
      name: `${transport.name}, ${cell.name}${NEEDS_OPENSSL}`,
      ignore: !OPENSSL,
      fn: () => tryCell(cell, transport),
    });
  }
}

async function tryCell(cell: TlsCell, transport: Transport): Promise<void> {
  const made = await (files ??= makeTlsCellFiles());
  await using security = await SecurityFiles.make();
  const accessFile = await security.access(ACCESS);
  await using broker = await TestBroker.start(
    { security: { accessFile }, store: { kind: "memory" } },
    { listener: { ...transport.listener, ...listenerOf(cell, made) } },
  );
  const certificate = certificateOf(cell, made);
  using client = await TlsClient.connect({
    port: broker.port,
    version: `TLSv${cell.clientVersion}`,
    ...(certificate === undefined ? {} : { certificate }),
  });
  const answer = await transport.ask(client, whoAmI());
  const log = broker.log.join("").split("\n");
  const refusals = log.filter((line) => line.includes("refused"));
  if (typeof cell.outcome === "object") {
    assertEquals(answer, null, "a refused client gets not one byte");
    assertEquals(refusals.length, 1, refusals.join("\n"));
    assertMatch(refusals[0]!, refusalLine(cell.outcome.refused));
    return;
  }
  assertEquals(refusals, []);
  assertEquals(whoIsIt(answer), cell.outcome);
  assertEquals(client.socket.getProtocol(), `TLSv${cell.clientVersion}`);
  const identities = log.flatMap((line) => /identity="([^"]*)"/.exec(line)?.[1] ?? []);
  assertEquals(identities, cell.outcome === IDENTITY ? [IDENTITY] : []);
}

/** The one line of the log about a refusal: where from, where to, and why. */
function refusalLine(cause: string): RegExp {
  return new RegExp(String.raw`warn .*refused: address=127\.0\.0\.1\S* .*\bcause=${cause} \S`);
}

/** CONNECT with a user name that nobody has verified, and a SUBSCRIBE for each name one may have. */
function whoAmI(): { bytes: Uint8Array; awaited: number } {
  const subscriptions = NAMES.map((name) => ({ filter: filter(`as/${name}`), qos: 0 as const }));
  const bytes = concatenate([
    encodePacket(connectPacket({ clientIdentifier: "client", userName: "claimed" })),
    encodePacket({ type: "SUBSCRIBE", packetId: 1, subscriptions }),
  ]);
  return { bytes, awaited: 4 + 4 + NAMES.length };
}

/** Out of CONNACK and SUBACK. */
function whoIsIt(answer: Uint8Array | null): string {
  assert(answer !== null, "the broker has closed the connection");
  assertEquals([...answer.subarray(0, 4)], [0x20, 2, 0, 0], "CONNACK");
  const codes = [...answer.subarray(8)];
  const [name, ...others] = NAMES.filter((_, index) => codes[index] !== REFUSED_SUBSCRIPTION);
  assert(name !== undefined && others.length === 0, `SUBACK ${codes}`);
  return name;
}

async function askOverWebSocket(
  client: TlsClient,
  question: { bytes: Uint8Array; awaited: number },
): Promise<Uint8Array | null> {
  const pipe = {
    send: (bytes: Uint8Array) => client.send(bytes),
    receive: () => client.receive(),
    close: () => client.socket.destroy(),
  };
  const socket = await WebSocketClient.open(pipe);
  if (socket === null) return null;
  assert(socket.isOpen, socket.answer);
  await socket.write(question.bytes);
  const answer = new Uint8Array(question.awaited);
  for (let filled = 0; filled < answer.length;) {
    const count = await socket.read(answer.subarray(filled));
    if (count === null) throw new Error(`Cannot ask: the end came after ${filled} bytes`);
    filled += count;
  }
  return answer;
}

async function askOverTcp(
  client: TlsClient,
  { bytes, awaited }: { bytes: Uint8Array; awaited: number },
): Promise<Uint8Array | null> {
  await client.send(bytes).catch(() => {});
  let answer = new Uint8Array(0);
  while (answer.length < awaited) {
    const more = await client.receive();
    if (more !== null) answer = concatenate([answer, more]);
    else if (answer.length === 0) return null;
    else throw new Error(`Cannot ask: the connection ended after ${answer.length} bytes`);
  }
  return answer;
}
