/** Sockets: listeners, and the drivers that move bytes between sockets and the core. */
export { type ByteStream, ConnectionDriver } from "./connection_driver.ts";
export { type AcceptEvents, type AcceptSource, TcpListener } from "./tcp_listener.ts";
export type { TurnOwner } from "./turn_owner.ts";
