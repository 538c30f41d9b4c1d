/** What this broker is, where it listens, and how it is configured. */
import { confirmed, failure, loading, toast } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { mayDo, roleButton, searchField } from "./fields.js";
import { bytes, duration, integer, time } from "./format.js";
import { state } from "./shapes.js";
import { DataTable, factList } from "./table.js";
import { memoryState } from "./view_overview.js";

/** @typedef {import("./main.js").Context} Context */

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function aboutView(context) {
  const { api, identity } = context;
  const facts = make("section", { class: "card" }, loading());
  const config = make("section", { class: "card" });
  const listeners = listenerTable(api);
  async function refresh() {
    void listeners.refresh();
    try {
      fill(facts, [make("h2", {}, "Broker"), factList(factsOf(await api.get("status")))]);
    } catch (error) {
      fill(facts, [failure(error, () => void refresh())]);
    }
    await showConfig(context, config);
  }
  void refresh();
  const reload = roleButton("Reload configuration…", {
    role: identity.role,
    needs: "admin",
    press: async () => {
      const text =
        "The broker reads its configuration file anew. If anything in it is wrong, nothing changes.";
      if (!await confirmed("Reload?", { text, action: "Reload", dangerous: false })) return;
      const { applied, needs_restart } = await api.change("POST", "reload");
      const later = needs_restart.length === 0
        ? ""
        : ` After a restart: ${needs_restart.join(", ")}.`;
      toast(
        "ok",
        `${
          applied.length === 0 ? "Nothing had changed." : `Applied: ${applied.join(", ")}.`
        }${later}`,
      );
      await refresh();
    },
  });
  return {
    element: make(
      "div",
      { class: "view cards" },
      facts,
      make("section", {}, make("h2", {}, "Listeners"), listeners.element),
      config,
      make("div", { class: "actions" }, reload),
    ),
    refresh: () => void refresh(),
  };
}

/**
 * @param {any} status
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function factsOf(status) {
  return [
    ["Version", status.version],
    ["Node", status.node ?? "–"],
    ["Started", time(status.started_at)],
    ["Up", duration(status.uptime_s)],
    [
      "Store",
      state(
        status.store.trouble === null ? "ok" : "bad",
        status.store.trouble ?? status.store.kind,
      ),
    ],
    ["Memory", memoryState(status.memory.stage)],
    ["Resident", bytes(status.memory.resident_bytes)],
    [
      "Memory limit",
      status.memory.limit_bytes === null ? "none" : bytes(status.memory.limit_bytes),
    ],
    ["Sparkplug", status.sparkplug_mode],
  ];
}

/** @param {import("./api.js").Api} api */
function listenerTable(api) {
  return new DataTable({
    label: "Listeners",
    fetch: () => api.get("listeners"),
    nothing: () => ({ title: "No listeners", text: "Nobody can connect." }),
    columns: [
      { label: "Address", kind: "name", cell: (row) => row.address },
      { label: "For", cell: (row) => row.purpose === "admin" ? "administration" : "clients" },
      { label: "Speaks", cell: speaks },
      {
        label: "Client certificates",
        cell: (row) => row.tls?.client_certificates ?? "–",
        minor: true,
      },
      { label: "Anonymous clients", cell: anonymity, minor: true },
      { label: "Connections", kind: "number", cell: (row) => integer(row.connections) },
    ],
  });
}

/** @param {any} listener */
function speaks({ transport, tls, websocket_path }) {
  /** @type {Readonly<Record<string, string>>} */
  const names = {
    tcp: "MQTT",
    websocket: `MQTT over WebSocket at ${websocket_path}`,
    http: "HTTP",
  };
  return `${names[transport] ?? transport}${
    tls === null ? "" : ` · TLS ${tls.version_min} and above`
  }`;
}

/** @param {any} listener */
function anonymity({ anonymous }) {
  if (anonymous === null) return "–";
  return anonymous ? state("warn", "let in") : state("ok", "refused");
}

/**
 * @param {Context} context
 * @param {HTMLElement} box
 */
async function showConfig(context, box) {
  const { api, identity } = context;
  const title = make("h2", {}, "Effective configuration");
  if (!mayDo(identity.role, "admin")) {
    fill(box, [
      title,
      make(
        "p",
        { class: "muted" },
        `Only the role “admin” may read it; this token has “${identity.role}”.`,
      ),
    ]);
    return;
  }
  try {
    fill(box, configTable(title, flat(await api.get("config"), "")));
  } catch (error) {
    fill(box, [title, failure(error, () => void showConfig(context, box))]);
  }
}

/**
 * @param {HTMLElement} title
 * @param {readonly [string, string][]} rows
 */
function configTable(title, rows) {
  const list = make("tbody");
  /** @param {string} text */
  function show(text) {
    const wanted = rows.filter(([key, value]) =>
      `${key} ${value}`.toLowerCase().includes(text.toLowerCase())
    );
    list.replaceChildren(...wanted.map(configRow));
  }
  show("");
  const table = make("table", { "aria-label": "Effective configuration" }, list);
  return [
    make("div", { class: "bar" }, title, searchField("Key or value", show)),
    make("div", { class: "table-scroll tall", tabindex: "0" }, table),
  ];
}

/** @param {[string, string]} row */
function configRow([key, value]) {
  return make(
    "tr",
    {},
    make("th", { scope: "row", class: "cell-name" }, key),
    make("td", { class: "cell-name", data: { label: "" } }, value === "" ? "–" : value),
  );
}

/**
 * @param {unknown} value
 * @param {string} path
 * @returns {[string, string][]}
 */
function flat(value, path) {
  if (value === null || typeof value !== "object") {
    return [[path, String(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return flat(inner, name);
  });
}
