/** How the broker is doing: what is wrong, the way of the messages, and the last minutes. */
import { fill, make, write } from "./dom.js";
import { segments } from "./fields.js";
import { bytes, duration, integer, milliseconds, rate, UNKNOWN } from "./format.js";
import { Plot } from "./plot.js";
import { mark, state } from "./shapes.js";
import { factList } from "./table.js";
import { themeChanges } from "./theme_switch.js";

/** @typedef {import("./types.d.ts").Statistics} Statistics */

const RANGES = /** @type {const} */ ([
  ["60", "1 min"],
  ["300", "5 min"],
  ["1800", "30 min"],
  ["3600", "1 h"],
]);

/** @type {readonly import("./plot.js").PlotOptions[]} */
const PLOTS = [
  {
    title: "Messages per second",
    format: rate,
    series: [
      { name: "messagesIn", label: "in", colour: 1, filled: true },
      { name: "messagesOut", label: "out", colour: 2 },
    ],
  },
  {
    title: "Bytes per second",
    format: bytes,
    binary: true,
    series: [
      { name: "bytesIn", label: "in", colour: 1, filled: true },
      { name: "bytesOut", label: "out", colour: 2 },
    ],
  },
  {
    title: "Connections",
    format: integer,
    series: [
      { name: "clients", label: "clients", colour: 1, filled: true },
      { name: "sessions", label: "sessions", colour: 2 },
    ],
  },
  {
    title: "Latency",
    format: milliseconds,
    series: [
      { name: "publishP50", label: "publish p50", colour: 1 },
      { name: "publishP99", label: "publish p99", colour: 2 },
      { name: "commit", label: "commit", colour: 3 },
      { name: "loopLagP99", label: "loop lag p99", colour: 4 },
    ],
  },
  {
    title: "Waiting messages",
    format: integer,
    series: [
      { name: "queued", label: "queued", colour: 1, filled: true },
      { name: "deadLetters", label: "dead letters", colour: 2 },
    ],
  },
  {
    title: "Memory",
    format: bytes,
    binary: true,
    series: [
      { name: "resident", label: "resident", colour: 1, filled: true },
      { name: "heap", label: "heap", colour: 2 },
    ],
  },
];

/**
 * The way of a message through the broker, from left to right.
 * @type {readonly { title: string, unit: string, of: (now: Statistics) => string, href: string }[]}
 */
const STATIONS = [
  {
    title: "Received",
    unit: "messages/s",
    of: (now) => rate(now.rates.messages_in_per_s),
    href: "#/clients",
  },
  {
    title: "Committed",
    unit: "until it is durable",
    of: (now) => milliseconds(now.store.latency_ms),
    href: "#/about",
  },
  {
    title: "Waiting",
    unit: "in queues",
    of: (now) => rate(now.counts.queued_messages),
    href: "#/sessions",
  },
  {
    title: "Delivered",
    unit: "messages/s",
    of: (now) => rate(now.rates.messages_out_per_s),
    href: "#/clients",
  },
  {
    title: "Given up",
    unit: "dead letters",
    of: (now) => rate(now.counts.dead_letters),
    href: "#/dead-letters",
  },
];

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function overviewView({ live }) {
  const notices = make("div", { class: "notices", role: "status" });
  const stations = STATIONS.map(stationOf);
  const facts = make("div", { class: "overview-facts" });
  const plots = PLOTS.map((options) => new Plot(options));
  let seconds = 300;
  function draw() {
    for (const plot of plots) plot.draw(live.history, seconds);
  }
  function show() {
    const now = live.statistics;
    if (now !== null) {
      if (live.status !== null) showNotices(notices, now, live.status.warnings);
      for (const { value, of } of stations) write(value, of(now));
      fill(facts, [factList(factsOf(now, live.status))]);
    }
    draw();
  }
  const ended = new AbortController();
  live.addEventListener("statistics", show, { signal: ended.signal });
  live.addEventListener("status", show, { signal: ended.signal });
  themeChanges.addEventListener("change", () => {
    for (const plot of plots) plot.restyle();
    draw();
  }, { signal: ended.signal });
  const ranges = segments("Range of the plots", {
    choices: RANGES,
    chosen: String(seconds),
    changed: (value) => {
      seconds = Number(value);
      draw();
    },
  });
  const element = make(
    "div",
    { class: "overview" },
    notices,
    make(
      "nav",
      { class: "flow", "aria-label": "The way of a message" },
      ...stations.map(({ anchor }) => anchor),
    ),
    facts,
    make("div", { class: "bar" }, make("h2", {}, "History"), ranges),
    make("div", { class: "plots" }, ...plots.map((plot) => plot.element)),
  );
  requestAnimationFrame(show);
  return {
    element,
    stop: () => {
      ended.abort();
      for (const plot of plots) plot.destroy();
    },
  };
}

/** @param {typeof STATIONS[number]} station */
function stationOf({ title, unit, href, of }) {
  const value = make("span", { class: "station-value" }, "–");
  const anchor = make(
    "a",
    { class: "station" },
    make("span", { class: "station-title" }, title),
    value,
    make("span", { class: "station-unit" }, unit),
  );
  anchor.href = href;
  return { anchor, value, of };
}

/**
 * @param {HTMLElement} box
 * @param {Statistics} now
 * @param {readonly string[]} warnings
 */
function showNotices(box, { store: { trouble } }, warnings) {
  const said = JSON.stringify([trouble, warnings]);
  if (box.dataset.said === said) return; // it would be read out again every second
  box.dataset.said = said;
  const others = trouble === null ? warnings : warnings.filter((text) => !text.includes(trouble));
  const all = [
    ...(trouble === null ? [] : [noticeOf("bad", `the store is in trouble: ${trouble}`)]),
    ...others.map((warning) => noticeOf("warn", warning)),
  ];
  if (all.length === 0) all.push(noticeOf("ok", "No problem is known, and no warning stands."));
  fill(box, all);
}

/**
 * @param {import("./shapes.js").StateKind} kind
 * @param {string} text
 */
function noticeOf(kind, text) {
  return make(
    "p",
    { class: `notice notice-${kind}` },
    mark(kind),
    make("span", {}, text),
  );
}

/**
 * @param {Statistics} now
 * @param {import("./types.d.ts").Status | null} status
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function factsOf({ counts, memory, store }, status) {
  return [
    ["Clients", integer(counts.clients_connected)],
    ["Sessions", integer(counts.sessions)],
    ["Subscriptions", integer(counts.subscriptions)],
    ["Retained", integer(counts.retained)],
    ["Store", state(store.trouble === null ? "ok" : "bad", store.kind)],
    ["Memory", memoryState(memory.stage)],
    ["Sparkplug", status?.sparkplug_mode ?? UNKNOWN],
    ["Up", status === null ? UNKNOWN : duration(status.uptime_s)],
  ];
}

/**
 * The stage of the memory guard.
 * @param {string | null} stage
 */
export function memoryState(stage) {
  if (stage === null) return state("idle", "not watched");
  return state(stage === "normal" ? "ok" : "warn", stage.replaceAll("-", " "));
}
