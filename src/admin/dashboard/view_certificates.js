/** Certificates that the broker uses, and how long they last. */
import { make } from "./dom.js";
import { day } from "./format.js";
import { state } from "./shapes.js";
import { DataTable } from "./table.js";

const DAYS_BAD = 7;
const DAYS_WARN = 30;

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function certificatesView({ api }) {
  const table = new DataTable({
    label: "Certificates",
    fetch: (page) => api.get("certificates", page),
    nothing: () => ({
      title: "No certificates",
      text: "No listener speaks TLS. Give one a certificate and a key, and it is watched here.",
    }),
    columns: [
      { label: "Subject", kind: "name", cell: (row) => row.subject },
      { label: "Left", cell: (row) => remaining(row.days_left) },
      {
        label: "Valid until",
        kind: "number",
        cell: (row) => day(row.not_after),
      },
      { label: "Used by", cell: (row) => wordsOf(row.used_by) },
      { label: "Issuer", kind: "name", cell: (row) => row.issuer, minor: true },
      {
        label: "File",
        kind: "name",
        cell: (row) => make("code", {}, row.file),
        minor: true,
      },
    ],
  });
  void table.refresh();
  return {
    element: make("div", { class: "view" }, table.element),
    refresh: () => void table.refresh(),
  };
}

/** @param {number} days */
function remaining(days) {
  if (days < 0) return state("bad", `expired ${-days} days ago`);
  const text = days === 1 ? "1 day" : `${days} days`;
  if (days <= DAYS_BAD) return state("bad", text);
  return state(days <= DAYS_WARN ? "warn" : "ok", text);
}

/** @param {unknown} users */
function wordsOf(users) {
  return Array.isArray(users) ? users.join(", ") : String(users ?? "–");
}
