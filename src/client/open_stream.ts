/** Connections to a server: TCP, TLS above it, WebSocket above either. */
import { ClientError, clientErrorOf, inTime } from "./client_error.ts";
import { type ClientStream, closeQuietly } from "./client_stream.ts";
import { openTls, type TlsTrust } from "./tls_stream.ts";
import { WebSocketStream } from "./websocket_stream.ts";

/** Where a server is, and how it is spoken to. */
export interface StreamTarget {
  readonly host: string;
  readonly port: number;
  /** Absent for no TLS. */
  readonly tls?: TlsTrust;
  /** Absent for MQTT without WebSocket. */
  readonly websocketPath?: string;
}

/** Connects within `timeoutMs`; rejects with a `ClientError`. */
export async function openStream(target: StreamTarget, timeoutMs: number): Promise<ClientStream> {
  const opening = open(target);
  try {
    return await inTime(opening, { timeoutMs, of: nameOf(target) });
  } catch (error) {
    opening.then(closeQuietly, ignore); // Late is too late.
    const { kind, message } = clientErrorOf(error);
    if (kind === "silence") throw error;
    throw new ClientError(kind, `${nameOf(target)}: ${message}`);
  }
}

function nameOf({ host, port }: StreamTarget): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

async function open(target: StreamTarget): Promise<ClientStream> {
  const { tls, websocketPath } = target;
  const inner = tls === undefined ? await openTcp(target) : await openTls(target, tls);
  if (websocketPath === undefined) return inner;
  try {
    return await WebSocketStream.open(inner, { host: nameOf(target), path: websocketPath });
  } catch (error) {
    closeQuietly(inner);
    throw error;
  }
}

async function openTcp({ host, port }: StreamTarget): Promise<ClientStream> {
  const socket = await Deno.connect({ hostname: host, port });
  socket.setNoDelay(true);
  return socket;
}

function ignore(): void {}
