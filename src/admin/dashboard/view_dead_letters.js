/** Messages that were given up, and what is to become of them. */
import { confirmed, Drawer, toast } from "./dialogs.js";
import { make } from "./dom.js";
import { roleButton, searchField } from "./fields.js";
import { bytes, integer, time } from "./format.js";
import { fromBase64, payloadView } from "./payload.js";
import { state } from "./shapes.js";
import { DataTable, factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function deadLettersView(context) {
  const { api, identity: { role } } = context;
  const filter = { topic: "", client_id: "", reason: "" };
  const table = new DataTable({
    label: "Dead letters",
    fetch: (page) => api.get("dead-letters", { ...page, ...filter }),
    nothing: () =>
      Object.values(filter).every((value) => value === "")
        ? {
          title: "No dead letters",
          text: "Every message has found its way, or nobody wanted it.",
        }
        : {
          title: "No dead letter is like that",
          text: "Change what is searched for.",
        },
    open: (row) => openLetter(context, row, () => void table.refresh()),
    columns: [
      { label: "Topic", kind: "name", cell: (row) => row.topic },
      { label: "Reason", cell: (row) => state("warn", row.reason) },
      { label: "For", kind: "name", cell: (row) => row.client_id ?? "–" },
      { label: "When", kind: "number", cell: (row) => time(row.at) },
      { label: "QoS", kind: "number", cell: (row) => row.qos, minor: true },
      {
        label: "Size",
        kind: "number",
        cell: (row) => bytes(row.size_bytes),
        minor: true,
      },
    ],
  });
  /** @param {keyof typeof filter} name */
  function fieldOf(name) {
    return (/** @type {string} */ text) => {
      filter[name] = text;
      void table.refresh();
    };
  }
  const all = make(
    "div",
    { class: "bar-end" },
    roleButton("Replay these…", {
      role,
      needs: "operate",
      press: () => replayAll(api, filter, () => void table.refresh()),
    }),
    roleButton("Purge these…", {
      role,
      needs: "admin",
      class: "button danger",
      press: () => purgeAll(api, filter, () => void table.refresh()),
    }),
  );
  const bar = make(
    "div",
    { class: "bar" },
    searchField("Topic Filter", fieldOf("topic")),
    searchField("Client", fieldOf("client_id")),
    searchField("Reason", fieldOf("reason")),
    all,
  );
  void table.refresh();
  return {
    element: make("div", { class: "view" }, bar, table.element),
    refresh: () => void table.refresh(),
  };
}

/** @param {Record<string, string>} filter */
function wordsOf(filter) {
  const parts = Object.entries(filter).filter(([, value]) => value !== "").map((
    [name, value],
  ) => `${name.replace("_", " ")} ${value}`);
  return parts.length === 0 ? "all dead letters" : `the dead letters with ${parts.join(", ")}`;
}

/**
 * @param {import("./api.js").Api} api
 * @param {Record<string, string>} filter
 * @param {() => void} done
 */
async function replayAll(api, filter, done) {
  const text = `This publishes ${
    wordsOf(filter)
  } anew, to whoever they were for, and takes them off this list.`;
  if (
    !await confirmed("Replay?", { text, action: "Replay", dangerous: false })
  ) return;
  const { replayed } = await api.change("POST", "dead-letters/replay", {
    body: { filter },
  });
  toast("ok", `${integer(replayed)} replayed.`);
  done();
}

/**
 * @param {import("./api.js").Api} api
 * @param {Record<string, string>} filter
 * @param {() => void} done
 */
async function purgeAll(api, filter, done) {
  const text = `This deletes ${wordsOf(filter)}. They cannot be brought back.`;
  if (!await confirmed("Purge?", { text, action: "Purge" })) return;
  const { purged } = await api.change("DELETE", "dead-letters", {
    query: filter,
  });
  toast("ok", `${integer(purged)} purged.`);
  done();
}

/**
 * @param {Context} context
 * @param {any} letter
 * @param {() => void} changed
 */
function openLetter({ api, identity }, letter, changed) {
  const drawer = new Drawer(letter.topic, { kind: "Dead letter" });
  drawer.show(
    factList([
      ["Reason", state("warn", letter.reason)],
      ["For", letter.client_id ?? "–"],
      ["When", time(letter.at)],
      ["QoS", integer(letter.qos)],
      ["Retained", letter.retain ? "yes" : "no"],
    ]),
    payloadView(fromBase64(letter.payload_base64 ?? "")),
  );
  drawer.offer(roleButton("Replay", {
    role: identity.role,
    needs: "operate",
    class: "button primary",
    press: async () => {
      await api.change("POST", "dead-letters/replay", {
        body: { ids: [letter.id] },
      });
      toast("ok", "Replayed.");
      drawer.close();
      changed();
    },
  }));
}
