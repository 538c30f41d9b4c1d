/** Sockets: listeners, and the drivers that move bytes between sockets and the core. */
export type { ByteStream } from "./byte_stream.ts";
export { ConnectionDriver } from "./connection_driver.ts";
export { ProxyReader } from "./proxy_reader.ts";
export { type AcceptEvents, type AcceptSource, TcpListener } from "./tcp_listener.ts";
export {
  type RawConnection,
  TlsAcceptor,
  type TlsCause,
  type TlsConnection,
  type TlsOutcome,
  type TlsRefusal,
  type TlsStatistics,
} from "./tls_acceptor.ts";
export type { TlsSettings } from "./tls_context.ts";
export type { TlsStream } from "./tls_stream.ts";
export type { TurnOwner } from "./turn_owner.ts";
export { WebSocketAcceptor, type WebSocketSettings } from "./websocket_acceptor.ts";
export { WebSocketStream } from "./websocket_stream.ts";
