/** Icons, and the marks of states: each state has a shape of its own, not only a colour. */
import { make } from "./dom.js";

/** @typedef {"ok" | "warn" | "bad" | "idle" | "info"} StateKind */

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Lines on a field of 24 by 24. @type {Readonly<Record<string, string>>} */
const ICONS = {
  overview: "M3 12h4l3-8 4 16 3-8h4",
  clients: "M4 5h16v10H4zM9 20h6M12 15v5",
  sessions: "M5 4h14v6H5zM5 14h14v6H5zM8 7h.01M8 17h.01",
  topics: "M5 4v14h5M5 8h5M12 6h7v4h-7zM12 16h7v4h-7z",
  sparkplug: "M4 21V10l5 3v-3l5 3V4h5v17zM9 21v-4h3v4",
  letters: "M3 6h18v12H3zM3 7l9 6 9-6M16 21l4-4M20 21l-4-4",
  log: "M4 6h16M4 11h16M4 16h10",
  certificates: "M4 4h16v11h-7M4 4v11h3M10 12a3 3 0 1 0 .01 0M8 17v4l2-1 2 1v-4",
  limits: "M4 17a8 8 0 1 1 16 0M12 17l4-5M4 20h16",
  about: "M12 3a9 9 0 1 0 .01 0M12 11v5M12 8h.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 8a4 4 0 1 0 .01 0M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z",
  next: "M9 5l7 7-7 7",
  refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  search: "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L21 21",
  out: "M14 4h5v16h-5M3 12h11M10 8l4 4-4 4",
};

/** Filled, on a field of 16 by 16. @type {Readonly<Record<StateKind, string>>} */
const MARKS = {
  ok: "M8 2a6 6 0 1 0 .01 0z",
  warn: "M8 1.5l7 12.5H1z",
  bad: "M5 1.5h6L14.5 5v6L11 14.5H5L1.500 11V5z",
  idle: "M8 2a6 6 0 1 0 .01 0zM8 4.500a3.500 3.500 0 1 1-.01 0z",
  info: "M8 1.500L14.500 8 8 14.500 1.500 8z",
};

/** How each mark is read out. @type {Readonly<Record<StateKind, string>>} */
const SPOKEN = { ok: "good", warn: "warning", bad: "bad", idle: "idle", info: "note" };

/**
 * An icon that says nothing that is not also written.
 * @param {string} name
 */
export function icon(name) {
  const svg = svgOf("0 0 24 24", ICONS[name] ?? "");
  svg.setAttribute("class", "icon");
  return svg;
}

/**
 * The mark of a state with its words.
 * @param {StateKind} kind
 * @param {string} text
 */
export function state(kind, text) {
  return make(
    "span",
    { class: `state state-${kind}` },
    mark(kind),
    make("span", {}, text),
  );
}

/**
 * The mark of a state alone.
 * @param {StateKind} kind
 */
export function mark(kind) {
  const svg = svgOf("0 0 16 16", MARKS[kind]);
  svg.setAttribute("class", `mark mark-${kind}`);
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", SPOKEN[kind]);
  return svg;
}

/**
 * @param {string} box
 * @param {string} path
 */
function svgOf(box, path) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", box);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(NAMESPACE, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
