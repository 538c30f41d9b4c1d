/** Alarms: two clients say that they are the same Edge Node or host (7.5). */
import type { LoggedBreach, LoggedRule } from "./_server_sparkplug_lines.ts";

/** Alarms that wait for a web server. */
const WAITING_MAX = 64;
const ANSWER_MS = 5_000;
/** Of one rule and Edge Node an alarm a minute. */
const AGAIN_MS = 60_000;
const REMEMBERED_MAX = 1024;

/** Picks what is an alarm, and tells a web server of it if that is wanted. */
export class SparkplugAlarms {
  readonly #rules: Readonly<Record<string, LoggedRule>>;
  /** Empty for none. */
  readonly #url: string;
  readonly #said = new Map<string, number>();
  readonly #waiting: string[] = [];
  readonly #ended = new AbortController();
  #sending = false;
  /** Why the web server was not told last time; empty if it was. */
  #trouble = "";
  /** Alarms that there were, and those that the web server was not told of. */
  raised = 0;
  untold = 0;

  constructor(rules: Readonly<Record<string, LoggedRule>>, url: string) {
    this.#rules = rules;
    this.#url = url;
  }

  /** The alarms among these breaches, as JSON. `failed`: the web server does not take them. */
  round(
    breaches: readonly (LoggedBreach & { readonly timeMs: number })[],
    failed: (reason: string) => void,
  ): readonly string[] {
    const alarms: string[] = [];
    for (const { rule, subject, clientIdentifier, detail, timeMs } of breaches) {
      const { ids, severity } = this.#rules[rule]!;
      if (severity !== "fatal" || !this.#isNew(`${rule} ${subject}`, timeMs)) continue;
      const time = new Date(timeMs).toISOString();
      const about = { time, rules: ids, subject, client_id: clientIdentifier, detail };
      alarms.push(JSON.stringify(about));
    }
    this.raised += alarms.length;
    if (this.#url !== "") { for (const alarm of alarms) this.#tell(alarm, failed); }
    return alarms;
  }

  /** The broker ends: what waits is given up. */
  stop(): void {
    this.untold += this.#waiting.splice(0).length;
    this.#ended.abort();
  }

  #isNew(key: string, timeMs: number): boolean {
    const saidMs = this.#said.get(key);
    if (saidMs !== undefined && timeMs - saidMs < AGAIN_MS && timeMs >= saidMs) return false;
    this.#said.delete(key);
    if (this.#said.size >= REMEMBERED_MAX) this.#said.delete(this.#said.keys().next().value!);
    this.#said.set(key, timeMs);
    return true;
  }

  #tell(alarm: string, failed: (reason: string) => void): void {
    if (this.#waiting.length >= WAITING_MAX) this.untold++;
    else this.#waiting.push(alarm);
    if (!this.#sending) void this.#send(failed);
  }

  async #send(failed: (reason: string) => void): Promise<void> {
    this.#sending = true;
    for (let alarm = this.#waiting.shift(); alarm !== undefined; alarm = this.#waiting.shift()) {
      const trouble = await this.#post(alarm);
      if (trouble !== "") this.untold++;
      // Once, and not for each alarm.
      if (trouble !== "" && trouble !== this.#trouble && !this.#ended.signal.aborted) {
        failed(trouble);
      }
      this.#trouble = trouble;
    }
    this.#sending = false;
  }

  async #post(body: string): Promise<string> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      await response.body?.cancel();
      return response.ok ? "" : `status ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
