/** Messages that were given up, and what is to become of them. */
import { confirmed, Drawer, failure, toast } from "./dialogs.js";
import { make } from "./dom.js";
import { roleButton, searchField, select } from "./fields.js";
import { bytes, integer, time } from "./format.js";
import { payloadView } from "./payload.js";
import { state } from "./shapes.js";
import { DataTable, factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */

/** Why messages are given up. */
export const REASONS = [
  "queue-full-newest",
  "queue-full-oldest",
  "stalled-consumer",
  "shed-qos0",
  "shed-queue",
  "message-expired",
  "session-expired",
  "session-limit",
  "session-removed",
  "retained-limit",
  "publish-refused",
  "read-refused",
  "server-topic",
  "sparkplug-refused",
  "oversize",
  "storage-error",
];
/** While messages are given up, the list follows so often. */
const REFRESH_MS = 2_000;

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function deadLettersView(context) {
  const { api, live } = context;
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
      { label: "Reason", cell: (row) => state("warn", row.reason.replaceAll("-", " ")) },
      { label: "For", kind: "name", cell: (row) => row.session || "–" },
      { label: "When", kind: "number", cell: (row) => time(row.time) },
      { label: "QoS", kind: "number", cell: (row) => row.qos, minor: true },
      { label: "Size", kind: "number", cell: (row) => bytes(row.payload_bytes), minor: true },
    ],
  });
  /** @param {keyof typeof filter} name */
  function fieldOf(name) {
    return (/** @type {string} */ text) => {
      filter[name] = text;
      void table.refresh();
    };
  }
  const bar = make(
    "div",
    { class: "bar" },
    searchField("Topic Filter", fieldOf("topic")),
    searchField("Client", fieldOf("client_id")),
    select("Reason", {
      choices: [["", "any reason"], ...REASONS.map(choiceOf)],
      changed: fieldOf("reason"),
    }),
    allButtons(context, filter, () => void table.refresh()),
  );
  void table.refresh();
  let known = live.statistics?.counts.dead_letters;
  const timer = setInterval(() => {
    const count = live.statistics?.counts.dead_letters;
    if (count === known || live.state !== "live") return;
    known = count;
    void table.refresh();
  }, REFRESH_MS);
  return {
    element: make("div", { class: "view" }, bar, table.element),
    refresh: () => void table.refresh(),
    stop: () => clearInterval(timer),
  };
}

/**
 * What is done to all that are chosen at that moment.
 * @param {Context} context
 * @param {Record<string, string>} filter
 * @param {() => void} done
 */
function allButtons({ api, identity: { role } }, filter, done) {
  return make(
    "div",
    { class: "bar-end" },
    roleButton("Replay these…", {
      role,
      needs: "operate",
      press: () => replayAll(api, { ...filter }, done),
    }),
    roleButton("Purge these…", {
      role,
      needs: "admin",
      class: "button danger",
      press: () => purgeAll(api, { ...filter }, done),
    }),
  );
}

/**
 * @param {string} reason
 * @returns {[string, string]}
 */
function choiceOf(reason) {
  return [reason, reason.replaceAll("-", " ")];
}

/**
 * What is chosen, without what is empty.
 * @param {Record<string, string>} filter
 */
function chosenOf(filter) {
  return Object.entries(filter).filter(([, value]) => value !== "");
}

/** @param {Record<string, string>} filter */
function wordsOf(filter) {
  const parts = chosenOf(filter).map(([name, value]) => `${name.replace("_", " ")} ${value}`);
  return parts.length === 0 ? "all dead letters" : `the dead letters with ${parts.join(", ")}`;
}

/**
 * @param {import("./api.js").Api} api
 * @param {Record<string, string>} filter
 * @param {() => void} done
 */
async function replayAll(api, filter, done) {
  const text = `This publishes ${wordsOf(filter)} anew, and takes them off this list.`;
  if (!await confirmed("Replay?", { text, action: "Replay", dangerous: false })) return;
  const chosen = chosenOf(filter);
  const body = chosen.length === 0 ? { all: true } : { filter: Object.fromEntries(chosen) };
  const { replayed, left } = await api.change("POST", "dead-letters/replay", { body });
  const rest = left === 0 ? "" : ` ${integer(left)} cannot be published, and stay.`;
  toast("ok", `${integer(replayed)} replayed.${rest}`);
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
  const chosen = chosenOf(filter);
  const query = chosen.length === 0 ? { all: true } : Object.fromEntries(chosen);
  const { purged } = await api.change("DELETE", "dead-letters", { query });
  toast("ok", `${integer(purged)} purged.`);
  done();
}

/**
 * @param {Context} context
 * @param {any} row
 * @param {() => void} changed
 */
async function openLetter(context, row, changed) {
  const { api, identity } = context;
  const drawer = new Drawer(row.topic, { kind: "Dead letter" });
  try {
    const letter = await api.get(`dead-letters/${row.id}`);
    drawer.show(
      factList([
        ["Reason", state("warn", letter.reason.replaceAll("-", " "))],
        ["When", time(letter.time)],
        ["Not delivered to", letter.session || "nobody in particular"],
        ["Published by", letter.publisher || "unknown"],
        ["QoS", integer(letter.qos)],
        ["Retain", letter.retain ? "yes" : "no"],
      ]),
      payloadView(letter),
    );
  } catch (error) {
    drawer.show(failure(error, () => {
      drawer.close();
      void openLetter(context, row, changed);
    }));
    return;
  }
  drawer.offer(roleButton("Replay", {
    role: identity.role,
    needs: "operate",
    class: "button primary",
    press: async () => {
      const body = { ids: [row.id] };
      const { replayed } = await api.change("POST", "dead-letters/replay", { body });
      if (replayed === 1) toast("ok", "Replayed.");
      else toast("bad", "It cannot be published, or it is no longer there.");
      drawer.close();
      changed();
    },
  }));
}
