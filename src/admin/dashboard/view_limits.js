/** What the broker is bounded by, how much of it is used, and how often it was hit. */
import { make } from "./dom.js";
import { bytes, integer } from "./format.js";
import { state } from "./shapes.js";
import { DataTable } from "./table.js";

const WARN_SHARE = 0.8;
const REFRESH_MS = 5_000;

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function limitsView({ api }) {
  const table = new DataTable({
    label: "Limits",
    fetch: () => api.get("limits"),
    nothing: () => ({ title: "No limits", text: "The broker tells of none." }),
    columns: [
      { label: "Limit", cell: (row) => row.name.slice(0, 1).toUpperCase() + row.name.slice(1) },
      {
        label: "Key",
        kind: "name",
        cell: (row) => row.key === null ? "fixed" : make("code", {}, row.key),
        minor: true,
      },
      {
        label: "Used",
        kind: "number",
        cell: (row) => row.used === null ? "–" : amount(row, row.used),
      },
      { label: "Of", kind: "number", cell: (row) => amount(row, row.limit) },
      { label: "Share", cell: (row) => share(row) },
      {
        label: "Hit",
        kind: "number",
        cell: (row) =>
          row.refused === null
            ? "–"
            : Number(row.refused) > 0
            ? state("warn", integer(row.refused))
            : "0",
      },
    ],
  });
  void table.refresh();
  const timer = setInterval(() => void table.refresh(), REFRESH_MS);
  return {
    element: make("div", { class: "view" }, table.element),
    stop: () => clearInterval(timer),
  };
}

/** @param {any} row */
function share({ used, limit }) {
  if (used === null || limit === null || limit === 0) {
    return make("span", { class: "muted" }, "–");
  }
  const part = Math.min(1, Number(used) / Number(limit));
  const meter = make("meter", {
    min: "0",
    max: "1",
    high: String(WARN_SHARE),
    optimum: "0",
    value: String(part),
  });
  return make("span", { class: "share" }, meter, `${Math.round(part * 100)} %`);
}

/**
 * @param {any} row
 * @param {number | null} value
 */
function amount({ unit }, value) {
  if (value === null) return "none";
  return unit === "bytes" ? bytes(value) : integer(value);
}
