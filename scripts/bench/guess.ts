/** The worker that tries wrong passwords from many addresses, while one client has the right one. */

import { closeQuietly, writeAll } from "../../src/client/mod.ts";
import net from "node:net";
import { epochNowMs, sleep, sleepUntil } from "./clock.ts";
import type { ControlLink } from "./link.ts";
import { DISCONNECT, encodeConnect } from "./packets.ts";
import type { GuessResult, GuessSpec } from "./roles.ts";
import { HOST, openClient } from "./wire.ts";

/** After that the attacker hangs up; the broker's answer does not matter to him any more. */
const PATIENCE_MS = 1_000;
const VISIT_PAUSE_MS = 250;
const TICK_MS = 5;
const CONNACK_BYTES = 4;

/** How an attempt ended: a CONNACK return code, closed before one, or no answer in time. */
type End = number | "closed" | "silence" | "failed";

/** Runs the worker: guesses from "go" to the end of the window, at most so many times a second. */
export async function runGuess(spec: GuessSpec, link: ControlLink): Promise<void> {
  link.ready({});
  const { windowEndMs } = await link.expect("go");
  const result: GuessResult = {
    attempts: 0,
    ends: {},
    elapsedMs: 0,
    visits: 0,
    visitsRefused: 0,
    visitMs: [],
  };
  const startMs = epochNowMs();
  await Promise.all([guess(spec, { result, windowEndMs }), visit(spec, { result, windowEndMs })]);
  result.elapsedMs = epochNowMs() - startMs;
  link.done(result);
}

async function guess(
  spec: GuessSpec,
  run: { result: GuessResult; windowEndMs: number },
): Promise<void> {
  const { result, windowEndMs } = run;
  const startMs = epochNowMs();
  const going = new Set<Promise<void>>();
  function note(end: End): void {
    result.ends[end] = (result.ends[end] ?? 0) + 1;
  }
  while (epochNowMs() < windowEndMs && result.attempts < spec.attemptsMax) {
    const due = Math.floor((epochNowMs() - startMs) / 1000 * spec.ratePerS);
    while (result.attempts < Math.min(due, spec.attemptsMax) && going.size < spec.parallel) {
      const attempt = attemptFrom(addressOf(result.attempts % spec.addresses), {
        spec,
        number: result.attempts++,
      }).then(note);
      going.add(attempt);
      attempt.finally(() => going.delete(attempt));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(going);
}

/** Addresses of this machine that are not the one of the good clients. */
function addressOf(index: number): string {
  return `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function attemptFrom(
  localAddress: string,
  { spec, number }: { spec: GuessSpec; number: number },
): Promise<End> {
  return new Promise(function attempt(resolve): void {
    const socket = net.connect({ host: HOST, port: spec.port, localAddress });
    function end(how: End): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    }
    const timer = setTimeout(() => end("silence"), PATIENCE_MS);
    socket.once("connect", function connected(): void {
      const login = { userName: spec.guessedUser, password: `guess ${number}` };
      socket.write(
        encodeConnect(`guess-${number}`, { keepAliveS: 0, cleanSession: true, login }),
      );
    });
    socket.once("data", function answered(bytes: Uint8Array): void {
      end(bytes[CONNACK_BYTES - 1] ?? "failed");
    });
    // A reset is how a close looks behind unread bytes.
    socket.once("close", () => end("closed"));
    socket.once("error", ({ code }: Error & { code?: string }) => {
      end(code === "ECONNRESET" || code === "EPIPE" ? "closed" : "failed");
    });
  });
}

/** Comes in with the right password, goes, and comes again. */
async function visit(
  spec: GuessSpec,
  run: { result: GuessResult; windowEndMs: number },
): Promise<void> {
  const { result, windowEndMs } = run;
  while (epochNowMs() < windowEndMs) {
    const startMs = epochNowMs();
    try {
      const conn = await openClient(spec, { id: `visitor-${result.visits}` });
      await writeAll(conn, DISCONNECT);
      closeQuietly(conn);
      result.visitMs.push(epochNowMs() - startMs);
    } catch {
      result.visitsRefused++;
    }
    result.visits++;
    await sleepUntil(startMs + VISIT_PAUSE_MS);
  }
}
