/** CONNECT and its answer. */
import { encodePacket, type Will } from "../mqtt/mod.ts";
import { ClientError, inTime } from "./client_error.ts";
import { type ClientStream, writeAll } from "./client_stream.ts";
import type { PacketReader } from "./packet_reader.ts";

/** What a client says of itself. */
export interface Introduction {
  readonly clientIdentifier: string;
  readonly cleanSession: boolean;
  /** Seconds; 0 turns Keep Alive off. */
  readonly keepAliveSeconds: number;
  readonly will: Will | null;
  readonly userName: string | null;
  readonly password: Uint8Array | null;
  /** How long the answer may take. */
  readonly timeoutMs: number;
}

const REFUSALS: readonly string[] = [
  "accepted",
  "unacceptable protocol version",
  "Client Identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorized",
];

/**
 * Sends CONNECT and waits for CONNACK; gives whether the server has kept a session. Rejects with a
 * `ClientError`.
 */
export async function introduce(
  stream: ClientStream,
  { reader, timeoutMs, ...introduction }: Introduction & { reader: PacketReader },
): Promise<boolean> {
  const { clientIdentifier, cleanSession, keepAliveSeconds, will, userName, password } =
    introduction;
  const fields = { clientIdentifier, cleanSession, keepAliveSeconds, will, userName, password };
  await writeAll(stream, encodePacket({ type: "CONNECT", protocolLevel: 4, ...fields }));
  const answer = await inTime(reader.next(), { timeoutMs, of: "CONNECT" });
  if (answer === null) throw new ClientError("refused", "closed by the server before CONNACK");
  if (answer.type !== "CONNACK") {
    throw new ClientError("protocol", `the server answered CONNECT with ${answer.type}`);
  }
  const { returnCode, sessionPresent } = answer;
  if (returnCode === 0) return sessionPresent;
  const text = REFUSALS[returnCode] ?? "reserved"; // table 3.1
  throw new ClientError("refused", `refused: ${text} (CONNACK return code ${returnCode})`);
}
