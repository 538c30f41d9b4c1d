/** What the broker says by itself: one stream of events, opened anew whenever it ends. */
import { ApiProblem } from "./api.js";
import { readEvents } from "./event_stream.js";
import { History } from "./history.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./types.d.ts").Statistics} Statistics */
/** @typedef {import("./types.d.ts").Status} Status */
/** @typedef {import("./types.d.ts").LogLine} LogLine */
/** @typedef {"connecting" | "live" | "offline" | "refused"} LiveState */

const PATH = "events?topics=statistics,log,clients,sparkplug";
/** Nothing for so long, not even a heartbeat: the stream is dead though nobody has said so. */
const SILENCE_MS_MAX = 20_000;
/** Warnings and the like are no part of the events. */
const STATUS_EVERY_MS = 5_000;
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 5_000;
const LOG_LINES_MAX = 2_000;

/**
 * Events: `state`, `status`, `statistics`, `log` (CustomEvent, a line), `client` and `sparkplug`
 * (CustomEvent, what came).
 */
export class Live extends EventTarget {
  /** @type {LiveState} */
  state = "connecting";
  /** @type {string} */
  reason = "";
  /** @type {Statistics | null} */
  statistics = null;
  /** @type {Status | null} */
  status = null;
  /** @type {LogLine[]} */
  log = [];
  history = new History();
  #api;
  /** @type {AbortController | null} */
  #running = null;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  /** Begins, or begins anew. */
  start() {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    this.#run(running.signal);
  }

  /** Ends. */
  stop() {
    this.#running?.abort();
    this.#running = null;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let pauseMs = PAUSE_MS_MIN;
    while (!signal.aborted) {
      const wasLive = await this.#once(signal);
      if (signal.aborted || this.state === "refused") return;
      pauseMs = wasLive ? PAUSE_MS_MIN : Math.min(pauseMs * 2, PAUSE_MS_MAX);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /**
   * One stream, until it ends; gives whether there was one.
   * @param {AbortSignal} signal
   */
  async #once(signal) {
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    let watch = setTimeout(() => ending.abort(), SILENCE_MS_MAX);
    let live = false;
    try {
      const response = await this.#api.stream(PATH, both);
      live = true;
      this.#turn("live", "");
      void this.#askStatus(both);
      await readEvents(
        /** @type {ReadableStream<Uint8Array>} */ (response.body),
        (event) => this.#take(event),
        {
          heard: () => {
            clearTimeout(watch);
            watch = setTimeout(() => ending.abort(), SILENCE_MS_MAX);
          },
        },
      );
      if (!signal.aborted) {
        this.#turn("offline", "The broker has ended the stream.");
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    } finally {
      clearTimeout(watch);
      ending.abort();
    }
    return live;
  }

  /**
   * Asks again and again, until the stream ends; that it is alive at all is for the stream to say.
   * @param {AbortSignal} signal
   */
  async #askStatus(signal) {
    while (!signal.aborted) {
      try {
        this.status = await this.#api.get("status");
        this.statistics ??= this.status;
        this.dispatchEvent(new Event("status"));
      } catch {
        // Another time, then.
      }
      await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS));
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (error instanceof ApiProblem && (error.status === 401 || error.status === 403)) {
      this.#turn("refused", error.message);
      return;
    }
    const known = error instanceof ApiProblem && error.status !== 0;
    this.#turn("offline", known ? error.message : "The broker does not answer.");
  }

  /**
   * @param {LiveState} state
   * @param {string} reason
   */
  #turn(state, reason) {
    if (this.state === state && this.reason === reason) return;
    if (state === "offline") this.history.gap();
    this.state = state;
    this.reason = reason;
    this.dispatchEvent(new Event("state"));
  }

  /** @param {import("./event_stream.js").ServerEvent} event */
  #take({ name, data }) {
    const detail = JSON.parse(data);
    if (name === "statistics") this.#takeStatistics(detail);
    else if (name === "log") this.#takeLine(detail);
    else this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {Statistics} statistics */
  #takeStatistics(statistics) {
    this.statistics = statistics;
    this.history.add(statistics);
    this.dispatchEvent(new Event("statistics"));
  }

  /** @param {LogLine} line */
  #takeLine(line) {
    this.log.push(line);
    if (this.log.length > LOG_LINES_MAX) {
      this.log.splice(0, this.log.length - LOG_LINES_MAX);
    }
    this.dispatchEvent(new CustomEvent("log", { detail: line }));
  }
}
