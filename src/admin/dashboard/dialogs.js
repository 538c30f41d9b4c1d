/** What lies over the page: questions, drawers and short messages. */
import { fill, make } from "./dom.js";
import { icon, mark } from "./shapes.js";

/** @typedef {import("./dom.js").Child} Child */

const TOAST_MS = 6_000;

/**
 * Asks before something is done that cannot be undone; gives whether it is to be done.
 * @param {string} title
 * @param {{ text: string, action: string, dangerous?: boolean, fields?: HTMLElement | null }} options
 * @returns {Promise<boolean>}
 */
export function confirmed(title, { text, action, dangerous = true, fields = null }) {
  const dialog = make("dialog", { class: "question", "aria-labelledby": "question-title" });
  const { promise, resolve } = Promise.withResolvers();
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "question-title" }, title),
    make("p", {}, text),
    fields,
    make(
      "div",
      { class: "actions" },
      make("button", {
        type: "button",
        class: "button",
        on: { click: () => dialog.close() },
      }, "Cancel"),
      make("button", {
        class: dangerous ? "button danger" : "button primary",
        value: "yes",
      }, action),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close("yes");
  });
  dialog.append(form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

/** A drawer at the side that shows one thing in full. */
export class Drawer {
  #dialog = make("dialog", { class: "drawer", "aria-labelledby": "drawer-title" });
  #body = make("div", { class: "drawer-body" });
  #actions = make("div", { class: "drawer-actions" });
  /** Whether it can still be seen. */
  open = true;

  /**
   * @param {string} title
   * @param {{ kind: string }} options what it is that has this name
   */
  constructor(title, { kind }) {
    const close = make("button", {
      class: "icon-button",
      "aria-label": "Close",
      type: "button",
    }, icon("close"));
    close.addEventListener("click", () => this.close());
    this.#dialog.append(
      make(
        "header",
        {},
        make(
          "div",
          {},
          make("p", { class: "eyebrow" }, kind),
          make("h2", { id: "drawer-title", class: "name" }, title),
        ),
        close,
      ),
      this.#body,
      this.#actions,
    );
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.close();
    });
    this.#dialog.addEventListener("close", () => {
      this.open = false;
      this.#dialog.remove();
    });
    this.show(loading());
    document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  /** @param {...Child} children */
  show(...children) {
    fill(this.#body, children);
  }

  /** @param {...Child} children */
  offer(...children) {
    fill(this.#actions, children);
  }

  /** Ends it. */
  close() {
    this.#dialog.close();
  }
}

/**
 * Says shortly how something went.
 * @param {"ok" | "bad" | "info"} kind
 * @param {string} text
 */
export function toast(kind, text) {
  let region = document.querySelector(".toasts");
  if (region === null) {
    region = make("div", {
      class: "toasts",
      role: "status",
      "aria-live": "polite",
      popover: "manual",
    });
    document.body.append(region);
  }
  const shown = make("p", { class: "toast" }, mark(kind), make("span", {}, text));
  region.append(shown);
  // In the top layer, above an open dialog.
  const layer = /** @type {HTMLElement} */ (region);
  if (layer.matches(":popover-open")) layer.hidePopover();
  layer.showPopover();
  setTimeout(() => {
    shown.remove();
    if (layer.childElementCount === 0) layer.hidePopover();
  }, TOAST_MS);
}

/** What is there while an answer is awaited. */
export function loading() {
  return make(
    "div",
    { class: "loading", "aria-busy": "true" },
    make("span", { class: "sr-only" }, "Loading"),
    make("i", {}),
    make("i", {}),
    make("i", {}),
  );
}

/**
 * What is there where there is nothing.
 * @param {string} title
 * @param {string} text what to do so that there is something
 */
export function empty(title, text) {
  return make(
    "div",
    { class: "empty" },
    make("p", { class: "empty-title" }, title),
    make("p", {}, text),
  );
}

/**
 * What is there where an answer did not come.
 * @param {unknown} error
 * @param {() => void} again
 */
export function failure(error, again) {
  return make(
    "div",
    { class: "failure", role: "alert" },
    mark("bad"),
    make("p", {}, error instanceof Error ? error.message : String(error)),
    make("button", { class: "button", type: "button", on: { click: again } }, "Try again"),
  );
}
