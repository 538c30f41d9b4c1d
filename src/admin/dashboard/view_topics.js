/** Retained messages as a tree of topics, one of them in full, and a form to publish. */
import { segment } from "./api.js";
import { confirmed, empty, failure, loading, toast } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { roleButton, searchField } from "./fields.js";
import { bytes } from "./format.js";
import { payloadView } from "./payload.js";
import { publishForm } from "./publish_form.js";
import { factList } from "./table.js";
import { Tree } from "./tree.js";

/** @typedef {import("./main.js").Context} Context */

const BRANCH_SIZE = 200;

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function topicsView(context) {
  const { api } = context;
  const detail = make("section", { class: "detail", "aria-label": "The chosen topic" });
  const tree = new Tree({
    label: "Topics with retained messages",
    fetch: (node, cursor) => fetchLevel(api, node === null ? "" : `${node.key}/`, cursor),
    choose: ({ key }) => choose(key),
    nothing: () =>
      empty("No retained messages", "Publish one with the retain flag, and it stands here."),
  });
  const found = make("div", { hidden: true });
  const search = searchField("Topic Filter, such as plant/+/state", (text) => {
    found.hidden = text === "";
    tree.element.hidden = text !== "";
    if (text !== "") {
      void showFound(context, { found, text, choose });
    }
  });
  const publish = publishForm(context, () => void tree.refresh());
  /** @param {string} topic */
  function choose(topic) {
    publish.setTopic(topic);
    void showTopic(context, { detail, tree, topic });
  }
  fill(detail, [empty("No topic chosen", "Choose one on the left to see what is retained there.")]);
  void tree.refresh();
  return {
    element: make(
      "div",
      { class: "view two-panes" },
      make(
        "section",
        { class: "pane", "aria-label": "Topics" },
        make("div", { class: "bar" }, search),
        tree.element,
        found,
      ),
      make("div", { class: "pane" }, detail, publish.element),
    ),
    refresh: () => void tree.refresh(),
  };
}

/**
 * @param {import("./api.js").Api} api
 * @param {string} prefix
 * @param {string | null} cursor
 */
async function fetchLevel(api, prefix, cursor) {
  const { items, next } = await api.get("topics", { prefix, cursor, limit: BRANCH_SIZE });
  /** @type {import("./tree.js").TreeNode[]} */
  const nodes = items.map((/** @type {any} */ item) => ({
    key: item.topic,
    label: item.level === "" ? "(empty level)" : item.level,
    branches: item.has_children,
    chosen: item.retained !== null,
    note: item.retained === null ? "" : noteOf(item.retained),
  }));
  return { nodes, next };
}

/** @param {any} retained */
function noteOf({ payload_bytes, payload_preview }) {
  return payload_preview ?? bytes(payload_bytes);
}

/**
 * @param {Context} context
 * @param {{ found: HTMLElement, text: string, choose: (topic: string) => void }} options
 */
async function showFound(context, { found, text, choose }) {
  const { api } = context;
  fill(found, [loading()]);
  try {
    const isFilter = /[#+]/.test(text);
    const { items } = await api.get("retained", {
      ...(isFilter ? { filter: text } : { search: text }),
      limit: BRANCH_SIZE,
    });
    const list = items.map((/** @type {any} */ { topic }) =>
      make(
        "li",
        {},
        make("button", {
          type: "button",
          class: "tree-label",
          on: { click: () => choose(topic) },
        }, topic),
      )
    );
    fill(found, [
      list.length === 0
        ? empty("No retained message is like that", "")
        : make("ul", { class: "plain-list" }, ...list),
    ]);
  } catch (error) {
    fill(found, [failure(error, () => void showFound(context, { found, text, choose }))]);
  }
}

/**
 * @param {Context} context
 * @param {{ detail: HTMLElement, tree: Tree, topic: string }} options
 */
async function showTopic(context, { detail, tree, topic }) {
  const { api, identity } = context;
  fill(detail, [loading()]);
  try {
    const message = await api.get(`retained/${segment(topic)}`);
    const remove = roleButton("Delete retained message…", {
      role: identity.role,
      needs: "operate",
      class: "button danger",
      press: async () => {
        const text =
          "Who subscribes from now on no longer gets it. Who has it already is not told.";
        if (!await confirmed("Delete this retained message?", { text, action: "Delete" })) return;
        await api.change("DELETE", `retained/${segment(topic)}`);
        toast("ok", `Nothing is retained on ${topic} now.`);
        fill(detail, [empty("Deleted", topic)]);
        await tree.refresh();
      },
    });
    fill(detail, [
      make("p", { class: "eyebrow" }, "Topic"),
      make("h2", { class: "name" }, topic),
      factList([["QoS", message.qos], ["Size", bytes(message.payload_bytes)]]),
      payloadView(message),
      make("div", { class: "actions" }, remove),
    ]);
  } catch (error) {
    fill(detail, [failure(error, () => void showTopic(context, { detail, tree, topic }))]);
  }
}
