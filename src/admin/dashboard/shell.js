/** What is round every view: the way to the others, and whether the broker is alive. */
import { fill, link, make, write } from "./dom.js";
import { icon, mark } from "./shapes.js";
import { themeSwitch } from "./theme_switch.js";

/** @typedef {import("./main.js").Identity} Identity */
/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./views.js").ViewEntry} ViewEntry */

const STATES = /** @type {const} */ ({
  connecting: ["idle", "Connecting"],
  live: ["ok", "Live"],
  offline: ["bad", "Offline"],
  refused: ["bad", "Refused"],
});

/** The frame of the page. */
export class Shell {
  onSignOut = () => {};
  #live;
  #title = make("h1", { tabindex: "-1" });
  #main = make("main", { id: "main" });
  #node = make("p", { class: "node-name" });
  #offline = make("div", { class: "offline", role: "alert", hidden: true });
  /** @type {HTMLElement[]} */
  #states = [make("p", { class: "live" }), make("p", { class: "live" })];
  /** @type {Map<string, HTMLElement>} */
  #links = new Map();
  #menu = make("button", {
    class: "icon-button menu-button",
    type: "button",
    "aria-label": "Menu",
    "aria-expanded": "false",
    "aria-controls": "menu",
  }, icon("menu"));

  /** @param {{ identity: Identity, live: Live, views: readonly ViewEntry[], signOut: () => void }} options */
  constructor({ identity, live, views }) {
    this.#live = live;
    fill(document.body, [
      make(
        "button",
        { class: "skip button", type: "button", on: { click: () => this.#title.focus() } },
        "Skip to content",
      ),
      this.#side(identity, views),
      make(
        "div",
        { class: "page" },
        make("header", { class: "head" }, this.#menu, this.#title, this.#states[1]),
        this.#offline,
        this.#main,
      ),
    ]);
    this.#menu.addEventListener(
      "click",
      () => this.#openMenu(document.body.dataset.menu !== "open"),
    );
    this.#main.addEventListener("click", () => this.#openMenu(false));
    document.body.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#openMenu(false);
    });
    live.addEventListener("state", () => this.#showState());
    live.addEventListener("status", () => this.#showNode());
    this.#showState();
  }

  /**
   * Puts a view in.
   * @param {ViewEntry} entry
   * @param {HTMLElement} element
   */
  show(entry, element) {
    for (const [name, anchor] of this.#links) {
      if (name === entry.name) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    write(this.#title, entry.title);
    document.title = `${entry.title} · RelayQ`;
    fill(this.#main, [element]);
    this.#openMenu(false);
    scrollTo(0, 0);
  }

  /**
   * @param {Identity} identity
   * @param {readonly ViewEntry[]} views
   */
  #side(identity, views) {
    const items = views.map(({ name, title, icon: image }) => {
      const anchor = link(
        `/${name}`,
        { title },
        icon(image),
        make("span", {}, title),
      );
      this.#links.set(name, anchor);
      return make("li", {}, anchor);
    });
    return make(
      "div",
      { class: "side", id: "menu" },
      make("div", { class: "brand-box" }, make("p", { class: "brand" }, "RelayQ"), this.#node),
      make("nav", { "aria-label": "Views" }, make("ul", {}, ...items)),
      make(
        "div",
        { class: "side-foot" },
        this.#states[0],
        make(
          "p",
          { class: "identity", title: `Role: ${identity.role}` },
          make("span", { class: "name" }, identity.name),
          make("span", { class: "role" }, identity.role),
        ),
        make(
          "div",
          { class: "side-buttons" },
          themeSwitch(),
          make("button", {
            class: "icon-button",
            type: "button",
            title: "Sign out",
            "aria-label": "Sign out",
            on: { click: () => this.onSignOut() },
          }, icon("out")),
        ),
      ),
    );
  }

  /** @param {boolean} open */
  #openMenu(open) {
    document.body.dataset.menu = open ? "open" : "closed";
    this.#menu.setAttribute("aria-expanded", String(open));
  }

  #showState() {
    const [kind, text] = STATES[this.#live.state];
    for (const element of this.#states) {
      fill(element, [mark(kind), make("span", {}, text)]);
    }
    const offline = this.#live.state === "offline";
    this.#offline.hidden = !offline;
    document.body.dataset.live = this.#live.state;
    if (offline) {
      fill(this.#offline, [
        mark("bad"),
        `${this.#live.reason} What you see is of before; trying again.`,
      ]);
    }
  }

  #showNode() {
    write(this.#node, this.#live.status?.node ?? "");
  }
}
