/** Promises that a single packet keeps or breaks, whatever came before. */
import type { PublishPacket, Qos } from "../../src/mqtt/mod.ts";
import type { AccessRules } from "./access_rules.ts";
import { BrokenPromise } from "./broken_promise.ts";
import type { SentMessage } from "./sent_message.ts";

/** "message altered", "message after ACL denial", "message above its QoS" */
export function checkContent(message: SentMessage, packet: PublishPacket, payload: string): void {
  if (payload !== message.payload || packet.topic !== message.topic) {
    throw new BrokenPromise("message altered", `${message} as ${packet.topic}: ${payload}`);
  }
  if (!message.allowed.maybe) throw new BrokenPromise("message after ACL denial", `${message}`);
  if (packet.qos > message.qos) {
    throw new BrokenPromise("message above its QoS", `${message} at QoS ${packet.qos}`);
  }
}

/**
 * "subscription granted against the ACL", "subscription refused without reason": the SUBACK return
 * code, where the rules did not change meanwhile.
 */
export function checkVerdict(
  rules: AccessRules,
  { client }: { client: string },
  { filter, qos, code }: { filter: string; qos: Qos; code: number },
): void {
  const denied = rules.deniedSubscriptions.has(`${client} ${filter}`);
  const what = `${client} asked for ${filter} at QoS ${qos} and got ${code}`;
  if (denied && code < 3) throw new BrokenPromise("subscription granted against the ACL", what);
  if (!denied && code !== qos) {
    throw new BrokenPromise("subscription refused without reason", what);
  }
}
