/** How the broker is doing: what is wrong, the way of the messages, and the last minutes. */
import { fill, make, write } from "./dom.js";
import { segments } from "./fields.js";
import { bytes, duration, integer, milliseconds, rate } from "./format.js";
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
      { name: "commitP99", label: "commit p99", colour: 3 },
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
    unit: "p99 of a commit",
    of: (now) => milliseconds(now.latency?.commit_p99_ms),
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
  const stations = STATIONS.map(({ title, unit, href }) => {
    const value = make("span", { class: "station-value" }, "–");
    const anchor = make(
      "a",
      { class: "station" },
      make("span", { class: "station-title" }, title),
      value,
      make("span", { class: "station-unit" }, unit),
    );
    anchor.href = href;
    return { anchor, value };
  });
  const facts = make("div", { class: "overview-facts" });
  const plots = PLOTS.map((options) => new Plot(options));
  let seconds = 300;
  function draw() {
    for (const plot of plots) plot.draw(live.history, seconds);
  }
  function show() {
    const now = live.statistics;
    if (now !== null) {
      showNotices(notices, now);
      for (const [index, { of }] of STATIONS.entries()) {
        write(
          /** @type {{ value: Element }} */ (stations[index]).value,
          of(now),
        );
      }
      fill(facts, [factList(factsOf(now))]);
    }
    draw();
  }
  const ended = new AbortController();
  live.addEventListener("statistics", show, { signal: ended.signal });
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

/**
 * @param {HTMLElement} box
 * @param {Statistics} now
 */
function showNotices(box, { store, warnings }) {
  const said = JSON.stringify([store.trouble, warnings]);
  if (box.dataset.said === said) return; // it would be read out again every second
  box.dataset.said = said;
  const trouble = store.trouble === null || store.trouble === ""
    ? []
    : [noticeOf("bad", `Store: ${store.trouble}`)];
  const all = [
    ...trouble,
    ...warnings.map((warning) => noticeOf("warn", warning)),
  ];
  fill(
    box,
    all.length === 0
      ? [
        noticeOf(
          "ok",
          "No problems known: the store commits, no warning stands.",
        ),
      ]
      : all,
  );
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
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function factsOf({ counts, uptime_s, memory, sparkplug, store }) {
  return [
    ["Clients", integer(counts.clients_connected)],
    ["Sessions", integer(counts.sessions)],
    ["Subscriptions", integer(counts.subscriptions)],
    ["Retained", integer(counts.retained)],
    ["Store", state(store.trouble ? "bad" : "ok", store.kind)],
    ["Memory", state(memory.stage === "normal" ? "ok" : "warn", memory.stage)],
    ["Sparkplug", sparkplug.mode],
    ["Up", duration(uptime_s)],
  ];
}
