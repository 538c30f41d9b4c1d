/** Client connections: TCP, TLS, CONNECT, SUBSCRIBE. Only ever to 127.0.0.1. */

import { type ClientStream, openTls, writeAll } from "../../src/client/mod.ts";
import { encodeConnect, encodeSubscribe, type Login, type Qos, type RigWill } from "./packets.ts";

/** The only address the rig connects to or listens on. */
export const HOST = "127.0.0.1";

const FILTERS_PER_SUBSCRIBE = 250;

/** What a client needs to come in. Whole in JSON, for it travels to the load processes. */
export interface Target {
  port: number;
  /** PEM; absent for plain TCP. */
  tls?: { authority: string; own?: { certificate: string; key: string } };
  login?: Login;
}

/** Opens a connection, sends CONNECT and waits for CONNACK; throws when refused. */
export async function openClient(
  target: Target,
  client: { id: string; keepAliveS?: number; cleanSession?: boolean; will?: RigWill },
): Promise<ClientStream> {
  const conn = await openConnection(target);
  try {
    const { id, keepAliveS = 0, cleanSession = true, will } = client;
    const { login } = target;
    const more = { ...(login && { login }), ...(will && { will }) };
    await writeAll(conn, encodeConnect(id, { keepAliveS, cleanSession, ...more }));
    const connack = new Uint8Array(4);
    await readExactly(conn, connack);
    if (connack[0] !== 0x20 || connack[1] !== 2 || connack[3] !== 0) {
      throw new Error(`Cannot connect "${client.id}": CONNACK ${connack.join(" ")}`);
    }
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/**
 * Subscribes to all `filters`, in as many SUBSCRIBE packets as needed, sent without waiting, and
 * waits for every SUBACK. Throws unless each filter is granted the asked QoS.
 */
export async function subscribe(
  conn: ClientStream,
  request: { filters: readonly string[]; qos: Qos },
): Promise<void> {
  let packets = 0;
  for (let from = 0; from < request.filters.length; from += FILTERS_PER_SUBSCRIBE) {
    const filters = request.filters.slice(from, from + FILTERS_PER_SUBSCRIBE);
    packets++;
    await writeAll(conn, encodeSubscribe(packets, { filters, qos: request.qos }));
  }
  let granted = 0;
  for (let packet = 0; packet < packets; packet++) {
    const codes = (await readPacket(conn, 0x90)).subarray(2);
    for (const code of codes) {
      if (code !== request.qos) throw new Error(`Cannot subscribe: SUBACK return code ${code}`);
    }
    granted += codes.length;
  }
  if (granted !== request.filters.length) {
    throw new Error(`Cannot subscribe: ${granted} of ${request.filters.length} filters granted`);
  }
}

/** Fills `into`; throws when the peer closes before. */
export async function readExactly(conn: ClientStream, into: Uint8Array): Promise<void> {
  let filled = 0;
  while (filled < into.length) {
    const count = await conn.read(into.subarray(filled));
    if (count === null) throw new Error("Cannot read: closed by the broker");
    filled += count;
  }
}

/** TCP with TCP_NODELAY, and TLS above it where the target wants that. */
async function openConnection({ port, tls }: Target): Promise<ClientStream> {
  const { authority, own } = tls ?? {};
  if (authority !== undefined && own !== undefined) {
    return await openTls({ host: HOST, port }, { authority, own });
  }
  const conn = await Deno.connect({ hostname: HOST, port });
  conn.setNoDelay(true);
  if (authority === undefined) return conn;
  return await Deno.startTls(conn, { hostname: HOST, caCerts: [authority] });
}

async function readPacket(conn: ClientStream, expected: number): Promise<Uint8Array> {
  const byte = new Uint8Array(1);
  await readExactly(conn, byte);
  if (byte[0] !== expected) throw new Error(`Cannot read packet: first byte ${byte[0]}`);
  let length = 0;
  let shift = 0;
  do {
    await readExactly(conn, byte);
    length |= ((byte[0] ?? 0) & 127) << shift;
    shift += 7;
  } while ((byte[0] ?? 0) > 127);
  const body = new Uint8Array(length);
  await readExactly(conn, body);
  return body;
}
