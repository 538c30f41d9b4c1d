/** What the composition root is made of: the parts that the configuration asks for. */
import { readBans } from "./_server_bans.ts";
import { filesOf } from "./_server_tls.ts";
import type { BrokerLimits } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import { Gatekeeper, type SecuritySettings } from "./security/mod.ts";
import { ACL_TEMPLATES } from "./sparkplug/mod.ts";
import {
  MemoryStore,
  openSqliteStore,
  type QuarantineReport,
  type Store,
  type StoreProblem,
} from "./store/mod.ts";

/** Steps of the loop after which the runtime is sure to poll its sockets, even if it has work. */
const POLL_STEPS = 64;

/**
 * Lets the event loop run until it has polled every socket. While anything is ready, and a client
 * that floods always is, the scheduler below Deno polls only at every 61st step.
 */
export function iterate(): Promise<void> {
  return new Promise((resolve) => {
    let steps = POLL_STEPS;
    function step(): void {
      if (--steps === 0) resolve();
      else setImmediate(step);
    }
    setImmediate(step);
  });
}

/** The store that the configuration asks for; the data directory is locked already. */
export function openStore(
  { store }: Config,
  onQuarantine: (report: QuarantineReport) => void,
): Promise<Store | StoreProblem> {
  if (store.kind === "memory") return Promise.resolve(new MemoryStore());
  return openSqliteStore(`${store.dataDir}/relayq.db`, store, onQuarantine);
}

/** Whoever decides who comes in. */
export async function openGatekeeper(
  config: Config,
): Promise<Gatekeeper | { problem: string }> {
  const bans = await readBans(config.store.dataDir, Date.now());
  return "problem" in bans ? bans : await Gatekeeper.open(gatekeeperSettings(config, bans));
}

/** What the configuration says to whoever decides who comes in. */
export function gatekeeperSettings(
  { security, listeners }: Config,
  bans: SecuritySettings["bans"],
): SecuritySettings {
  const { clientIdentifier, sessionOwner, ...settings } = security;
  const anonymous = new Set(
    listeners.filter(({ allowAnonymous }) => allowAnonymous).map(({ address }) => address),
  );
  // With port 0 several may have the same address: the strictest counts.
  for (const { address, allowAnonymous } of listeners) {
    if (!allowAnonymous) anonymous.delete(address);
  }
  return {
    ...settings,
    bans,
    identifiers: { clientIdentifier, sessionOwner },
    templates: ACL_TEMPLATES,
    anonymous: (listener) => anonymous.has(listener),
  };
}

/** Paths of the files that may be read again while the broker runs. */
export function reloadableFiles({ security, listeners, admin }: Config): readonly string[] {
  const { passwordFile, accessFile, pinFile } = security;
  const { tokensFile } = admin;
  const own = [passwordFile, accessFile, pinFile, tokensFile].filter((path) => path !== "");
  return [...new Set([...own, ...[...listeners, admin].flatMap(filesOf)])];
}

/** How logins went, by the end of their topic. */
export function loginFacts({ logins }: Gatekeeper): Readonly<Record<string, number>> {
  const { hashed, remembered, refused } = logins;
  return { "logins/hashed": hashed, "logins/remembered": remembered, "logins/refused": refused };
}

/** The limits of the core, out of the sections of the configuration. */
export function brokerLimits(config: Config): BrokerLimits {
  const { limits, protocol, queue, outbox, retained, session, store, deadLetters } = config;
  const { certificatesMax, certificatesBytesMax, certificatesExpiryMs } = config.sparkplug;
  return {
    ...limits,
    ...protocol,
    queueMessagesMax: queue.messagesMax,
    queueBytesMax: queue.bytesMax,
    queueTotalBytesMax: queue.totalBytesMax,
    queueTotalMessagesMax: queue.totalMessagesMax,
    queueFull: queue.full,
    queueMessageExpiryMs: queue.messageExpiryMs,
    retainedFull: retained.full,
    retainedExpiryMs: retained.expiryMs,
    certificatesMax,
    certificatesBytesMax,
    certificatesExpiryMs,
    outboxBytesMax: outbox.bytesMax,
    outboxHighWaterBytes: outbox.highWaterBytes,
    outboxLowWaterBytes: outbox.lowWaterBytes,
    slowConsumerGraceMs: outbox.slowConsumerGraceMs,
    stalledWriteTimeoutMs: outbox.stalledWriteTimeoutMs,
    sessionExpiryMs: session.expiryMs,
    sessionsFull: session.full,
    storeBacklogBytesMax: store.backlogBytesMax,
    deadLettersMessagesMax: deadLetters.messagesMax,
    deadLettersBytesMax: deadLetters.bytesMax,
    deadLettersExpiryMs: deadLetters.expiryMs,
    deadLettersPerSecondMax: deadLetters.perSecondMax,
    deadLettersRepublish: deadLetters.republish,
  };
}
