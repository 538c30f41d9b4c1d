/** Certificates that the broker uses, and how long they last. */
import { make } from "./dom.js";
import { day } from "./format.js";
import { state } from "./shapes.js";
import { DataTable } from "./table.js";

const DAYS_BAD = 7;
const DAYS_WARN = 30;

/** @type {Readonly<Record<string, string>>} */
const KINDS = { server: "server", authority: "authority", crl: "revocation list" };

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function certificatesView({ api }) {
  const table = new DataTable({
    label: "Certificates",
    fetch: () => api.get("certificates"),
    nothing: () => ({
      title: "No certificates",
      text: "No listener speaks TLS. Give one a certificate and a key, and it is watched here.",
    }),
    columns: [
      {
        label: "Subject",
        kind: "name",
        cell: (row) => row.subject ?? `Revocation list of ${row.issuer}`,
      },
      { label: "Left", cell: (row) => remaining(row) },
      { label: "Valid until", kind: "number", cell: (row) => day(row.not_after) },
      { label: "Kind", cell: (row) => KINDS[row.kind] ?? row.kind, minor: true },
      { label: "Used by", cell: (row) => row.used_by.join(", ") || "–" },
      { label: "Issuer", kind: "name", cell: (row) => row.issuer, minor: true },
      { label: "File", kind: "name", cell: (row) => make("code", {}, row.file), minor: true },
    ],
  });
  void table.refresh();
  return {
    element: make("div", { class: "view" }, table.element),
    refresh: () => void table.refresh(),
  };
}

/** @param {any} row */
function remaining({ kind, days_left: days }) {
  if (days === null) return "–";
  const ended = kind === "crl" ? "overdue for" : "expired since";
  if (days < 0) return state("bad", `${ended} ${daysOf(-days)}`);
  const text = daysOf(days);
  if (days <= DAYS_BAD) return state("bad", text);
  return state(days <= DAYS_WARN ? "warn" : "ok", text);
}

/** @param {number} days */
function daysOf(days) {
  return days === 1 ? "1 day" : `${days} days`;
}
