/** What is recorded when more happens at one moment than the core keeps events for. */
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { type AuditLine, recorded } from "../support/audit_files.ts";
import type { TestBroker } from "../support/test_broker.ts";
import { connectPacket } from "../support/wire_client.ts";

/** More than the events of one turn. */
const CLIENTS = 6_000;

/** Clients of the core, without sockets: so many of those would need another limit of the system. */
function crowd({ server: { broker, turns } }: TestBroker) {
  return Array.from({ length: CLIENTS }, (_, i) => {
    const origin = { remoteAddress: `192.0.2.1:${i}`, listener: "test" };
    const connection = broker.opened(1_000_000 + i, origin, turns.instant())!;
    const bytes = encodePacket(connectPacket({ clientIdentifier: `c${i}` }));
    const range = { start: 0, end: bytes.length, instant: turns.instant() };
    broker.receive(connection, bytes, range);
    if (i % 1000 === 999) turns.end(); // as if they had come one after the other
    return connection;
  });
}

/** Entries of a kind: those written, those left out, and those that are counted without a kind. */
function accounted(lines: readonly AuditLine[], event: string): number {
  return lines.reduce((sum, line) => {
    if (line.event === event) return sum + 1 + Number(line.suppressed ?? 0);
    return line.event === "entries-suppressed" ? sum + Number(line.count) : sum;
  }, 0);
}

const CHANGES = {
  limits: { connectionsMax: 10_000 },
  audit: { waitingBytesMax: 33_554_432 },
  log: { level: "warn" },
} as const;

Deno.test("that the broker ends is recorded of every client", async () => {
  const lines = await recorded(CHANGES, (broker) => {
    crowd(broker);
    return Promise.resolve();
  });
  assertEquals(accounted(lines, "connected"), CLIENTS);
  assertEquals(accounted(lines, "closed"), CLIENTS);
});

Deno.test("events for which there was no room are counted in the log and in the audit log", async () => {
  let log = "";
  const lines = await recorded(CHANGES, (broker) => {
    const { broker: core, turns } = broker.server;
    for (const connection of crowd(broker)) core.close(connection, "keepAlive", turns.instant());
    turns.end();
    turns.end(); // the lines of the log
    log = broker.log.join("");
    return Promise.resolve();
  });
  assertEquals(/(\d+) events more/.exec(log)?.[1], `${CLIENTS - 4096}`);
  assertEquals(accounted(lines, "closed"), CLIENTS);
});
