/** systemd as the process sees it: datagrams that say how it is (`sd_notify(3)`). */
import { environmentVariable } from "./environment.ts";

/** Messages that may wait for a service manager that does not read. */
const WAITING_MAX = 16;
/** How long the end of the process waits for them. */
const CLOSE_MS = 1_000;

/** Tells the service manager, in order; never blocks, never throws. */
export class ServiceManager {
  /** How often it wants to hear "WATCHDOG=1", in ms; null for never. */
  readonly watchdogMs: number | null;
  readonly #socket: Deno.DatagramConn;
  readonly #address: Deno.UnixAddr;
  readonly #encoder = new TextEncoder();
  readonly #waiting: string[] = [];
  #running: Promise<void> | null = null;
  /** Why the last message did not arrive; null if it did. */
  problem: string | null = null;

  private constructor(socket: Deno.DatagramConn, path: string) {
    this.#socket = socket;
    this.#address = { transport: "unixpacket", path };
    this.watchdogMs = watchdogMs();
  }

  /** Null where no service manager wants to hear anything; the problem where it cannot be told. */
  static open(): { manager: ServiceManager } | { problem: string } | null {
    const address = environmentVariable("NOTIFY_SOCKET");
    if (address === null) return null;
    // Abstract sockets are written with @; the kernel means a zero byte.
    const path = address.startsWith("@") ? `\0${address.slice(1)}` : address;
    if (!/^[\0/]/.test(path)) return { problem: `${address} is no path and no abstract socket` };
    try {
      // Abstract as well: no file is left behind, and no directory needs to be writable.
      const own = `\0relayq-${Deno.pid}-${crypto.randomUUID()}`;
      const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
      return { manager: new ServiceManager(socket, path) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Sends assignments such as "READY=1" as one message. */
  notify(...assignments: readonly string[]): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(assignments.join("\n"));
    this.#running ??= this.#send().finally(() => this.#running = null);
  }

  /** Sends what waits and ends. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
    this.#socket.close();
  }

  async #send(): Promise<void> {
    for (let message = this.#waiting.shift(); message !== undefined;) {
      try {
        await this.#socket.send(this.#encoder.encode(message), this.#address);
        this.problem = null;
      } catch (error) {
        this.problem = error instanceof Error ? error.message : String(error);
      }
      message = this.#waiting.shift();
    }
  }
}

/**
 * A time that is not before now, in microseconds of the clock that "RELOADING=1" has to be sent
 * with; null where the system may not be asked. The runtime does not tell CLOCK_MONOTONIC; its
 * uptime is that, with the time asleep, rounded up to a second.
 */
export function monotonicUs(): number | null {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "osUptime" });
  return state === "granted" ? Deno.osUptime() * 1_000_000 : null;
}

/** Null if the watchdog is off, or meant for another process. */
function watchdogMs(): number | null {
  const us = Number(environmentVariable("WATCHDOG_USEC"));
  const pid = environmentVariable("WATCHDOG_PID");
  if (!Number.isInteger(us) || us <= 0) return null;
  return pid === null || Number(pid) === Deno.pid ? us / 1000 : null;
}
