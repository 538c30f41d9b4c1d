/** What the core asks about how much clients send; who answers keeps the counts. */

/** The rates of all clients. Every method is fast, and allocates at most once for a client. */
export interface RateLimiter {
  /** The rate of a client whose CONNECT was accepted; null if it may send as much as it wants. */
  client(clientIdentifier: string): ClientRate | null;
}

/**
 * What one client may send. `publishes` and `bytes` charge what was carried out already, and give for
 * how many ms the client is not to be read: 0 if it may go on, Infinity if it is to be closed.
 */
export interface ClientRate {
  publishes(n: number, nowMs: number): number;
  bytes(n: number, nowMs: number): number;
  /** How many messages may be carried out before they are charged; at least 1. */
  publishesRoom(nowMs: number): number;
  /** How many bytes may be carried out before they are charged; at least 1. */
  bytesRoom(nowMs: number): number;
  /** For how many ms a client that has just come is not to be read. */
  debtMs(nowMs: number): number;
  /** The client is gone; it is not asked again. */
  leave(nowMs: number): void;
}
