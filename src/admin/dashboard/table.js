/** A table that is fetched page by page. */
import { empty, failure, loading } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { integer } from "./format.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {{ items: any[], next?: string | null, total?: number | null }} Page */
/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: any) => Child} cell
 * @property {"number" | "name" | "text"} [kind]
 * @property {boolean} [minor] left out where there is little room
 */
/**
 * @typedef {object} TableOptions
 * @property {string} label what the table holds
 * @property {readonly Column[]} columns
 * @property {(query: { limit: number, cursor: string | null }) => Promise<Page>} fetch
 * @property {() => { title: string, text: string }} nothing what to say where there are none
 * @property {(row: any) => void} [open] makes the first cell a button
 */

const ROWS_PER_PAGE = 50;
const ROWS_PER_ANSWER_MAX = 1_000;

/** A table with its states: loading, empty, failed, and more to come. */
export class DataTable {
  element = make("section", { class: "table-box" });
  #options;
  #rows = make("tbody");
  #count = make("p", { class: "table-count", role: "status" });
  #more = make("button", {
    class: "button",
    type: "button",
    on: { click: () => this.#load() },
  }, "Load more");
  /** @type {string | null} */
  #cursor = null;
  #shown = 0;
  /** Answers of an older question are not taken. */
  #question = 0;

  /** @param {TableOptions} options */
  constructor(options) {
    this.#options = options;
    fill(this.element, [loading()]);
  }

  /** Fetches as many rows as there are, from the first on; these stay until the answer has come. */
  async refresh() {
    this.#cursor = null;
    await this.#load();
  }

  async #load() {
    const question = ++this.#question;
    const first = this.#cursor === null;
    try {
      const page = await this.#options.fetch({
        limit: first
          ? Math.min(Math.max(ROWS_PER_PAGE, this.#shown), ROWS_PER_ANSWER_MAX)
          : ROWS_PER_PAGE,
        cursor: this.#cursor,
      });
      if (question === this.#question) this.#take(page, first);
    } catch (error) {
      if (question === this.#question) {
        fill(this.element, [failure(error, () => void this.refresh())]);
      }
    }
  }

  /**
   * @param {Page} page
   * @param {boolean} first
   */
  #take({ items, next, total }, first) {
    if (first && items.length === 0) {
      const { title, text } = this.#options.nothing();
      fill(this.element, [empty(title, text)]);
      return;
    }
    const rows = items.map((item) => this.#row(item));
    if (first) {
      this.#shown = 0;
      const focused = this.#focused();
      this.#rows.replaceChildren(...rows);
      if (focused >= 0) rows[focused]?.querySelector("button")?.focus();
    } else this.#rows.append(...rows);
    this.#shown += rows.length;
    this.#cursor = next ?? null;
    this.#more.hidden = this.#cursor === null;
    const of = total === null || total === undefined ? "" : ` of ${integer(total)}`;
    fill(this.#count, [`${integer(this.#shown)}${of}`]);
    if (!this.element.contains(this.#rows)) this.#build();
  }

  /** The row whose button has the focus; -1 for none. */
  #focused() {
    return [...this.#rows.children].findIndex((row) => row.contains(document.activeElement));
  }

  #build() {
    const heads = this.#options.columns.map(({ label, kind, minor }) =>
      make("th", { scope: "col", class: classOf(kind, minor) }, label)
    );
    const table = make(
      "table",
      { "aria-label": this.#options.label },
      make("thead", {}, make("tr", {}, ...heads)),
      this.#rows,
    );
    fill(this.element, [
      make("div", {
        class: "table-scroll",
        tabindex: "0",
        role: "region",
        "aria-label": this.#options.label,
      }, table),
      make("div", { class: "table-foot" }, this.#count, this.#more),
    ]);
  }

  /** @param {any} item */
  #row(item) {
    const { columns, open } = this.#options;
    const row = make("tr");
    for (const [index, { label, cell, kind, minor }] of columns.entries()) {
      const content = cell(item);
      const inner = index === 0 && open !== undefined
        ? make("button", {
          class: "row-button",
          type: "button",
          on: { click: () => open(item) },
        }, content)
        : content;
      row.append(make(index === 0 ? "th" : "td", {
        class: classOf(kind, minor),
        data: { label },
        scope: index === 0 ? "row" : undefined,
      }, inner));
    }
    return row;
  }
}

/**
 * A list of facts.
 * @param {readonly (readonly [string, Child])[]} facts
 */
export function factList(facts) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of facts) {
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  return list;
}

/**
 * @param {string} [kind]
 * @param {boolean} [minor]
 */
function classOf(kind = "text", minor = false) {
  return `cell-${kind}${minor ? " cell-minor" : ""}`;
}
