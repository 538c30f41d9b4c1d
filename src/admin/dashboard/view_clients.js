/** Who is connected: look, disconnect, ban. */
import { segment } from "./api.js";
import { openClient, VIA } from "./client_drawer.js";
import { make } from "./dom.js";
import { roleButton, searchField, segments } from "./fields.js";
import { ago, bytes, integer, time } from "./format.js";
import { state } from "./shapes.js";
import { DataTable } from "./table.js";
import { confirmed, toast } from "./dialogs.js";

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function clientsView(context) {
  const { live } = context;
  let search = context.path;
  const ended = new AbortController();
  const clients = clientTable(context, () => search);
  const bans = banTable(context);
  let shown = clients;
  const box = make("div", {}, clients.element);
  const field = searchField("Client or user", (text) => {
    search = text;
    void clients.refresh();
  }, { value: search });
  const tabs = segments("What is listed", {
    choices: [["clients", "Connected"], ["bans", "Bans"]],
    chosen: "clients",
    changed: (value) => {
      shown = value === "bans" ? bans : clients;
      field.hidden = value === "bans";
      box.replaceChildren(shown.element);
      void shown.refresh();
    },
  });
  let due = 0;
  live.addEventListener("client", () => {
    // Many come and go at once.
    if (due !== 0) return;
    due = setTimeout(() => {
      due = 0;
      void shown.refresh();
    }, 1_000);
  }, { signal: ended.signal });
  void clients.refresh();
  return {
    element: make("div", { class: "view" }, make("div", { class: "bar" }, field, tabs), box),
    refresh: () => void shown.refresh(),
    stop: () => {
      ended.abort();
      clearTimeout(due);
    },
  };
}

/**
 * @param {import("./main.js").Context} context
 * @param {() => string} search
 */
function clientTable(context, search) {
  const table = new DataTable({
    label: "Connected clients",
    fetch: (page) => context.api.get("clients", { ...page, search: search() }),
    nothing: () =>
      search() === ""
        ? {
          title: "No client is connected",
          text: "Clients appear here as soon as the broker has answered their CONNECT.",
        }
        : {
          title: `Nothing found for “${search()}”`,
          text: "The search looks at Client Identifier and user.",
        },
    open: (row) => openClient(context, row.client_id, () => void table.refresh()),
    columns: [
      { label: "Client", kind: "name", cell: (row) => row.client_id },
      {
        label: "User",
        kind: "name",
        cell: (row) => row.user ?? make("span", { class: "muted" }, "anonymous"),
      },
      { label: "Address", kind: "name", cell: (row) => row.address, minor: true },
      { label: "Via", cell: (row) => VIA[row.transport] ?? row.transport },
      {
        label: "Since",
        kind: "number",
        cell: (row) => make("span", { title: time(row.connected_at) }, ago(row.connected_at)),
        minor: true,
      },
      { label: "Messages in", kind: "number", cell: (row) => integer(row.messages_in) },
      { label: "Bytes in", kind: "number", cell: (row) => bytes(row.bytes_in), minor: true },
      { label: "Bytes out", kind: "number", cell: (row) => bytes(row.bytes_out) },
      {
        label: "Queued",
        kind: "number",
        cell: (row) => row.queued_messages > 0 ? state("warn", integer(row.queued_messages)) : "0",
      },
      {
        label: "Subscriptions",
        kind: "number",
        cell: (row) => integer(row.subscriptions),
        minor: true,
      },
    ],
  });
  return table;
}

/** @param {import("./main.js").Context} context */
function banTable({ api, identity }) {
  const table = new DataTable({
    label: "Bans",
    fetch: (page) => api.get("bans", page),
    nothing: () => ({
      title: "Nobody is banned",
      text: "Open a client in the other list to ban it by name, user or address.",
    }),
    columns: [
      { label: "What", kind: "name", cell: (row) => row.value },
      { label: "Kind", cell: (row) => row.kind.replace("_", " ") },
      { label: "Reason", cell: (row) => row.reason || "–" },
      { label: "By", cell: (row) => row.by, minor: true },
      {
        label: "Until",
        cell: (row) => row.until === null ? "for ever" : time(row.until),
      },
      {
        label: "",
        cell: (row) =>
          roleButton("Lift", {
            role: identity.role,
            needs: "operate",
            press: async () => {
              const text = `${row.value} may connect again at once.`;
              if (
                !await confirmed("Lift this ban?", { text, action: "Lift", dangerous: false })
              ) return;
              await api.change("DELETE", `bans/${segment(row.id)}`);
              toast("ok", `The ban of ${row.value} is lifted.`);
              await table.refresh();
            },
          }),
      },
    ],
  });
  return table;
}
