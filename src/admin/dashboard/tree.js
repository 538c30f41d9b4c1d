/** A tree that fetches a branch when it is opened; arrow keys as in every tree. */
import { failure, loading } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { icon } from "./shapes.js";

/**
 * @typedef {object} TreeNode
 * @property {string} key
 * @property {string} label
 * @property {boolean} branches whether there is something below
 * @property {boolean} chosen whether it can be chosen
 * @property {string} note
 * @property {Node} [mark] stands before the label
 */
/**
 * @typedef {object} TreeOptions
 * @property {string} label
 * @property {(node: TreeNode | null, cursor: string | null) => Promise<{ nodes: TreeNode[], next: string | null }>} fetch
 * @property {(node: TreeNode) => void} choose
 * @property {() => HTMLElement} nothing
 */

/** The tree. */
export class Tree {
  element = make("div", { class: "tree" });
  #options;
  #opened = new Set();
  /** Whether branches of the first level are open when they come. */
  openAtFirst = false;
  #known = new Set();
  #chosen = "";
  /** The key of the item that the tabulator key leads to. */
  #focused = "";

  /** @param {TreeOptions} options */
  constructor(options) {
    this.#options = options;
    this.element.addEventListener("keydown", (event) => this.#key(event));
    fill(this.element, [loading()]);
  }

  /** Fetches it anew; branches that were open are opened again. */
  async refresh() {
    try {
      const list = make("ul", { role: "tree", "aria-label": this.#options.label });
      const count = await this.#load(list, null);
      const focused = this.element.contains(document.activeElement) ? this.#focused : null;
      fill(this.element, [count === 0 ? this.#options.nothing() : list]);
      const items = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=treeitem]")]);
      const same = items.find(({ dataset }) => dataset.key === this.#focused);
      (same ?? items[0])?.setAttribute("tabindex", "0");
      if (focused !== null) same?.focus();
    } catch (error) {
      fill(this.element, [failure(error, () => void this.refresh())]);
    }
  }

  /**
   * @param {HTMLElement} list
   * @param {TreeNode | null} parent
   * @param {string | null} [cursor]
   */
  async #load(list, parent, cursor = null) {
    const { nodes, next } = await this.#options.fetch(parent, cursor);
    const items = nodes.map((node) => this.#item(node));
    list.append(...items.map(({ item }) => item));
    if (next !== null) {
      const more = make("button", { type: "button", class: "button" }, "Load more");
      const row = make("li", { role: "none" }, more);
      more.addEventListener("click", async () => {
        await this.#load(list, parent, next);
        row.remove();
      });
      list.append(row);
    }
    for (const { item, node } of items) {
      const isNew = parent === null && !this.#known.has(node.key);
      if (parent === null) this.#known.add(node.key);
      const opens = this.#opened.has(node.key) || (isNew && this.openAtFirst && node.branches);
      if (opens) await this.#open(item, node);
    }
    return nodes.length;
  }

  /** @param {TreeNode} node */
  #item(node) {
    const twist = make(
      "span",
      { class: "tree-twist", "aria-hidden": "true" },
      node.branches ? icon("next") : null,
    );
    const row = make(
      "div",
      { class: "tree-row" },
      twist,
      node.mark,
      make("span", { class: "tree-label" }, node.label),
      node.note === "" ? null : make("span", { class: "tree-note" }, node.note),
    );
    const item = make("li", {
      role: "treeitem",
      data: { key: node.key },
      tabindex: "-1",
      "aria-expanded": node.branches ? "false" : undefined,
      "aria-selected": String(node.key === this.#chosen),
      "aria-label": node.label,
    }, row);
    twist.addEventListener("click", (event) => {
      event.stopPropagation();
      void this.#toggle(item, node);
    });
    row.addEventListener("click", () => {
      this.#focus(item);
      void this.#press(item, node);
    });
    item.addEventListener("tree-press", (event) => {
      event.stopPropagation();
      void this.#press(item, node);
    });
    item.addEventListener("tree-toggle", (event) => {
      event.stopPropagation();
      void this.#toggle(item, node);
    });
    return { item, node };
  }

  /**
   * @param {HTMLElement} item
   * @param {TreeNode} node
   */
  async #press(item, node) {
    if (node.chosen) {
      this.#chosen = node.key;
      for (
        const other of this.element.querySelectorAll("[aria-selected=true]")
      ) other.setAttribute("aria-selected", "false");
      item.setAttribute("aria-selected", "true");
      this.#options.choose(node);
      if (item.getAttribute("aria-expanded") !== "false") return;
    }
    await this.#toggle(item, node);
  }

  /**
   * @param {HTMLElement} item
   * @param {TreeNode} node
   */
  async #toggle(item, node) {
    if (!node.branches) return;
    if (item.getAttribute("aria-expanded") === "true") {
      this.#opened.delete(node.key);
      item.setAttribute("aria-expanded", "false");
      item.querySelector(":scope > ul")?.remove();
    } else await this.#open(item, node);
  }

  /**
   * @param {HTMLElement} item
   * @param {TreeNode} node
   */
  async #open(item, node) {
    this.#opened.add(node.key);
    item.setAttribute("aria-expanded", "true");
    const list = make("ul", { role: "group" });
    item.append(list);
    try {
      await this.#load(list, node);
    } catch (error) {
      fill(list, [failure(error, () => {
        list.remove();
        void this.#open(item, node);
      })]);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const item = /** @type {HTMLElement | null} */ (document.activeElement);
    if (item === null || item.getAttribute("role") !== "treeitem") return;
    const all = /** @type {HTMLElement[]} */ ([
      ...this.element.querySelectorAll("[role=treeitem]"),
    ]);
    const at = all.indexOf(item);
    const expanded = item.getAttribute("aria-expanded");
    const above = /** @type {HTMLElement | null} */ (item.parentElement?.closest(
      "[role=treeitem]",
    ) ?? null);
    if (event.key === "ArrowDown") this.#focus(all[at + 1]);
    else if (event.key === "ArrowUp") this.#focus(all[at - 1]);
    else if (event.key === "Home") this.#focus(all[0]);
    else if (event.key === "End") this.#focus(all.at(-1));
    else if (event.key === "ArrowRight" && expanded === "true") {
      this.#focus(all[at + 1]);
    } else if (event.key === "ArrowRight") {
      item.dispatchEvent(new CustomEvent("tree-toggle"));
    } else if (event.key === "ArrowLeft" && expanded === "true") {
      item.dispatchEvent(new CustomEvent("tree-toggle"));
    } else if (event.key === "ArrowLeft") this.#focus(above ?? undefined);
    else if (event.key === "Enter" || event.key === " ") {
      item.dispatchEvent(new CustomEvent("tree-press"));
    } else return;
    event.preventDefault();
  }

  /** @param {HTMLElement | undefined} item */
  #focus(item) {
    if (item === undefined) return;
    for (
      const other of this.element.querySelectorAll("[tabindex='0'][role=treeitem]")
    ) other.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
    this.#focused = item.dataset.key ?? "";
    item.focus();
  }
}
