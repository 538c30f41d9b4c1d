/** The work item of wrong passwords: what a flood of them does to those who have the right one. */

import type { Broker } from "./brokers.ts";
import { measurePaced, prefixed } from "./latency.ts";
import { Load } from "./load.ts";
import { readCpuMs, readMemory } from "./proc.ts";
import type { GuessResult } from "./roles.ts";
import type { Conditions, Figures, Workload } from "./workload.ts";

const LOGIN = { userName: "good", password: "correct horse battery staple" };
/** With `--seconds 60` all of them are tried; the usual window is over before. */
const ATTEMPTS_MAX = 200_000;
const ADDRESSES = 20_000;
const RATE_PER_S = 4_000;
const PARALLEL = 500;
/** The flood has so long to fill what can be filled before latency counts. */
const HEAD_START_MS = 1_000;
const CALM_SECONDS_MAX = 5;

/** 4 × 5,000 messages per second of clients with the right password, alone and beside a flood. */
export const PASSWORD_FLOOD: Workload = {
  name: "password_flood",
  about: "4 × 5,000 msg/s beside up to 4,000 wrong passwords/s from 20,000 addresses",
  profile: "stock",
  guards: { login: LOGIN },
  only: "relayq",
  mirror: false,
  metrics: [
    { name: "calm_p99_ms", digits: 3 },
    { name: "flood_p99_ms", digits: 3 },
    { name: "flood_to_calm_p99", digits: 2, goals: [{ kind: "at_most", value: 2 }] },
    { name: "flood_loss_percent", digits: 2, goals: [{ kind: "at_most", value: 0 }] },
    { name: "attempts_per_s", digits: 0 },
    { name: "attempts_checked", digits: 0 },
    { name: "attempts_turned_away", digits: 0 },
    { name: "attempts_locked_out", digits: 0 },
    { name: "good_logins", digits: 0 },
    { name: "good_logins_refused", digits: 0, goals: [{ kind: "at_most", value: 0 }] },
    { name: "good_login_slowest_ms", digits: 0 },
    { name: "broker_cpu_percent", digits: 0 },
    { name: "broker_rss_growth_mb", digits: 1 },
  ],
  measure: measureFlood,
};

async function measureFlood(broker: Broker, conditions: Conditions): Promise<Figures> {
  const seconds = Math.min(conditions.seconds, CALM_SECONDS_MAX);
  const calm = await measurePaced(broker, {
    conditions: { ...conditions, seconds },
    name: "calm",
    headStartMs: 0,
  });
  const rssBefore = (await readMemory(broker.pid)).rssBytes;
  const guess = Load.start("guess", {
    ...broker.target,
    guessedUser: LOGIN.userName,
    addresses: ADDRESSES,
    attemptsMax: ATTEMPTS_MAX,
    ratePerS: RATE_PER_S,
    parallel: PARALLEL,
  });
  try {
    await guess.answer("ready");
    const pids = [broker.pid, guess.pid];
    let cpuBefore: number[] = [];
    const flood = await measurePaced(broker, {
      conditions,
      name: "flood",
      headStartMs: HEAD_START_MS,
      onGo: async function begin(windowStartMs, windowEndMs): Promise<void> {
        cpuBefore = await Promise.all(pids.map(readCpuMs));
        await guess.send({ command: "go", windowStartMs, windowEndMs });
      },
    });
    const guessed = await guess.answer<GuessResult>("done");
    const cpuAfter = await Promise.all(pids.map(readCpuMs));
    const rssAfter = (await readMemory(broker.pid)).peakBytes;
    const [brokerMs = NaN, guessMs = NaN] = cpuAfter.map((afterMs, index) =>
      afterMs - (cpuBefore[index] ?? NaN)
    );
    return {
      ...prefixed("calm", calm),
      ...prefixed("flood", flood),
      ...guessFigures(guessed),
      flood_to_calm_p99: (flood["p99_ms"] ?? NaN) / (calm["p99_ms"] ?? NaN),
      broker_cpu_percent: (brokerMs / guessed.elapsedMs) * 100,
      guess_cpu_percent: (guessMs / guessed.elapsedMs) * 100,
      broker_rss_growth_mb: (rssAfter - rssBefore) / 1e6,
    };
  } finally {
    await guess.end();
  }
}

function guessFigures(guessed: GuessResult): Figures {
  const { attempts, ends, elapsedMs, visits, visitsRefused, visitMs } = guessed;
  return {
    attempts,
    attempts_per_s: (attempts / elapsedMs) * 1000,
    attempts_let_in: ends["0"] ?? 0,
    attempts_turned_away: ends["3"] ?? 0,
    attempts_checked: ends["4"] ?? 0,
    attempts_locked_out: ends["closed"] ?? 0,
    attempts_unanswered: ends["silence"] ?? 0,
    attempts_failed: ends["failed"] ?? 0,
    good_logins: visits,
    good_logins_refused: visitsRefused,
    good_login_slowest_ms: Math.max(...visitMs),
  };
}
