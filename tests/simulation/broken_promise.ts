/** What the broker promises, as the oracle names it when a promise is broken. */

/** The promises; each is checked in one place. */
export type PromiseName =
  | "acknowledged QoS 1 message lost"
  | "acknowledged QoS 2 message lost"
  | "Will lost"
  | "QoS 0 message delivered twice"
  | "QoS 1 message delivered more often than it was sent"
  | "QoS 2 message delivered twice"
  | "messages of one publisher out of order"
  | "re-sent messages out of order"
  | "acknowledgement out of order"
  | "acknowledgement nobody asked for"
  | "Packet Identifier reused while in flight"
  | "re-sent PUBLISH without DUP"
  | "DUP on a first send"
  | "message after ACL denial"
  | "subscription granted against the ACL"
  | "subscription refused without reason"
  | "message without subscription"
  | "message nobody published"
  | "message altered"
  | "message above its QoS"
  | "RETAIN on a message for an established subscription"
  | "superseded retained message"
  | "retained message lost"
  | "retained message not sent to a new subscription"
  | "packet before CONNACK"
  | "connection refused without reason"
  | "connection ended without cause"
  | "acknowledged session lost"
  | "discarded session came back"
  | "owner of a session lost"
  | "Will before its time"
  | "Will after DISCONNECT"
  | "limit exceeded"
  | "message given up without need"
  | "gauge drifts"
  | "store cannot be opened"
  | "no convergence";

/** A promise that was not kept. */
export class BrokenPromise extends Error {
  readonly promise: PromiseName;

  constructor(promise: PromiseName, detail: string) {
    super(`${promise}: ${detail}`);
    this.name = "BrokenPromise";
    this.promise = promise;
  }
}
