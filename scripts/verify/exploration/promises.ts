/** What must hold in every state that is explored. */
import type { ControlPacket } from "../../../src/mqtt/mod.ts";
import type { ExploredClient } from "./explored_client.ts";
import type { ExploredWorld } from "./explored_world.ts";
import { PromiseBroken } from "./promise_broken.ts";

/** What the broker says when a packet leaves: the disk must know it already. */
export function checkPacket(
  world: ExploredWorld,
  client: ExploredClient,
  packet: ControlPacket,
): void {
  const { receiving, deliveries } = world.disk.of(client.name);
  switch (packet.type) {
    case "PUBREC":
      return must(receiving.has(packet.packetId), "PUBREC before its commit");
    case "PUBCOMP":
      return must(!receiving.has(packet.packetId), "PUBCOMP before its commit");
    case "PUBLISH": {
      if (packet.qos !== 2) return;
      const known = [...deliveries.values()].find((one) => one.packetId === packet.packetId);
      return must(
        known !== undefined && known.number === packet.payload[0],
        "QoS 2 PUBLISH before its Packet Identifier is durable",
      );
    }
    case "PUBREL": {
      const known = [...deliveries.values()].find((one) => one.packetId === packet.packetId);
      return must(known === undefined || known.released, "PUBREL before its commit");
    }
    case "PUBACK": {
      const publisher = world.publishers.find(({ name }) => name === client.name)!;
      const { number } = publisher.messages[packet.packetId - 1]!;
      return must(isKept(world, number), "PUBACK before its commit");
    }
  }
}

/** What the clients and the disk know of each other. */
export function checkWorld(world: ExploredWorld): void {
  for (const publisher of world.publishers) {
    for (const number of publisher.acknowledged()) {
      must(isKept(world, number), `acknowledged message ${number} is lost`);
    }
    for (const { got, qos, name } of world.subscribers) {
      const first = [...new Set(got)].filter((n) =>
        publisher.messages.some((message) => message.number === n)
      );
      const sorted = first.toSorted((a, b) => a - b);
      must(first.join() === sorted.join(), `${name} gets messages out of order`);
      must(
        first.join() === publisher.messages.slice(0, first.length).map((m) => m.number).join(),
        `${name} has a gap`,
      );
      if (qos !== 2) continue;
      for (const message of publisher.messages) {
        const times = got.filter((n) => n === message.number).length;
        must(message.qos !== 2 || times <= 1, `${name} gets QoS 2 message ${message.number} twice`);
      }
    }
  }
}

/** Where nothing can happen any more, everything has happened. */
export function checkEnd(world: ExploredWorld): void {
  must(world.isSettled, "the broker does not come to rest");
  for (const publisher of world.publishers) {
    must(
      publisher.messages.every((_, i) => publisher.isDone(i)),
      `${publisher.name} waits for ever`,
    );
    must(world.disk.of(publisher.name).receiving.size === 0, "an identifier is never given back");
    for (const subscriber of world.subscribers) {
      for (const { number } of publisher.messages) {
        must(subscriber.got.includes(number), `${subscriber.name} never gets ${number}`);
      }
    }
  }
  for (const subscriber of world.subscribers) {
    must(subscriber.isIdle, `${subscriber.name} waits for ever`);
    const { deliveries } = world.disk.of(subscriber.name);
    must(deliveries.size === 0, "a delivery is never finished");
  }
}

/** Each subscriber has the message, or the disk has it for it. */
function isKept(world: ExploredWorld, number: number): boolean {
  return world.subscribers.every(({ name, got }) =>
    got.includes(number) ||
    [...world.disk.of(name).deliveries.values()].some((fact) => fact.number === number)
  );
}

function must(holds: boolean, promise: string): void {
  if (!holds) throw new PromiseBroken(promise);
}
