/** What the broker keeps for clients, connected or not. */
import { segment } from "./api.js";
import { presence, subscriptionsOf } from "./client_drawer.js";
import { confirmed, Drawer, failure, toast } from "./dialogs.js";
import { make } from "./dom.js";
import { roleButton, searchField, segments } from "./fields.js";
import { bytes, integer, time } from "./format.js";
import { DataTable, factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function sessionsView(context) {
  let search = context.path;
  let connected = "";
  const table = new DataTable({
    label: "Sessions",
    fetch: (page) => context.api.get("sessions", { ...page, search, connected }),
    nothing: () =>
      search === "" && connected === ""
        ? {
          title: "No sessions",
          text:
            "A client that connects with Clean Session 0 leaves one, with its subscriptions and what waits for it.",
        }
        : { title: "No session is like that", text: "Change the search, or list all." },
    open: (row) => openSession(context, row.client_id, () => void table.refresh()),
    columns: [
      { label: "Client", kind: "name", cell: (row) => row.client_id },
      { label: "State", cell: (row) => presence(row.connected) },
      { label: "Owner", kind: "name", cell: (row) => row.owner ?? "–", minor: true },
      {
        label: "Away since",
        kind: "number",
        cell: (row) => row.away_since === null ? "–" : time(row.away_since),
        minor: true,
      },
      {
        label: "Expires",
        kind: "number",
        cell: (row) => row.expires_at === null ? "–" : time(row.expires_at),
        minor: true,
      },
      { label: "Subscriptions", kind: "number", cell: (row) => integer(row.subscriptions) },
      { label: "Queued", kind: "number", cell: (row) => integer(row.queued_messages) },
      { label: "In flight", kind: "number", cell: (row) => integer(row.in_flight) },
      { label: "Size", kind: "number", cell: (row) => bytes(row.queued_bytes) },
    ],
  });
  const bar = make(
    "div",
    { class: "bar" },
    searchField("Client or owner", (text) => {
      search = text;
      void table.refresh();
    }, { value: search }),
    segments("Which", {
      choices: [["", "All"], ["true", "Connected"], ["false", "Away"]],
      chosen: "",
      changed: (value) => {
        connected = value;
        void table.refresh();
      },
    }),
  );
  void table.refresh();
  return {
    element: make("div", { class: "view" }, bar, table.element),
    refresh: () => void table.refresh(),
  };
}

/**
 * @param {Context} context
 * @param {string} clientId
 * @param {() => void} changed
 */
async function openSession(context, clientId, changed) {
  const { api, identity } = context;
  const drawer = new Drawer(clientId, { kind: "Session" });
  try {
    const session = await api.get(`sessions/${segment(clientId)}`);
    drawer.show(
      factList([
        ["State", presence(session.connected)],
        ["Owner", session.owner ?? "–"],
        ["Kind", session.clean_session ? "ends with the connection" : "kept"],
        ["Away since", session.away_since === null ? "–" : time(session.away_since)],
        ["Expires", session.expires_at === null ? "–" : time(session.expires_at)],
        [
          "Queued",
          `${integer(session.queued_messages)} messages · ${bytes(session.queued_bytes)}`,
        ],
        ["In flight", integer(session.in_flight)],
        ["Awaiting PUBREL", integer(session.awaiting_release)],
      ]),
      ...subscriptionsOf(session.filters, session.subscriptions),
    );
  } catch (error) {
    drawer.show(failure(error, () => {
      drawer.close();
      void openSession(context, clientId, changed);
    }));
    return;
  }
  drawer.offer(roleButton("Delete session…", {
    role: identity.role,
    needs: "operate",
    class: "button danger",
    press: async () => {
      const text =
        "Its subscriptions are gone; what waits for it becomes dead letters. A client that uses it is disconnected.";
      if (!await confirmed("Delete this session?", { text, action: "Delete" })) return;
      await api.change("DELETE", `sessions/${segment(clientId)}`);
      toast("ok", `The session of ${clientId} is deleted.`);
      drawer.close();
      changed();
    },
  }));
}
