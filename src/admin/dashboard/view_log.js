/** The log as it is written. */
import { make, write } from "./dom.js";
import { searchField, select } from "./fields.js";
import { time } from "./format.js";
import { mark } from "./shapes.js";

/** @typedef {import("./types.d.ts").LogLine} LogLine */

const LEVELS = ["error", "warn", "info", "debug"];
const LINES_MAX = 1_000;
const FETCHED_LINES = 500;
/** How near to the end somebody has to be to be taken along. */
const NEAR_PX = 40;

/** @type {Readonly<Record<string, import("./shapes.js").StateKind>>} */
const KINDS = { error: "bad", warn: "warn", info: "info", debug: "idle" };

/**
 * The view.
 * @param {import("./main.js").Context} context
 * @returns {import("./main.js").View}
 */
export function logView({ api, live }) {
  const view = new LogPane();
  const ended = new AbortController();
  live.addEventListener(
    "log",
    (event) => view.add(/** @type {CustomEvent} */ (event).detail),
    { signal: ended.signal },
  );
  const bar = make(
    "div",
    { class: "bar" },
    searchField("Text of the line", (text) => view.filter({ text: text.toLowerCase() })),
    select("Least level", {
      choices: LEVELS.toReversed().map((level) => [level, `${level} and above`]),
      chosen: "debug",
      changed: (level) => view.filter({ level }),
    }),
    make(
      "div",
      { class: "bar-end" },
      view.pauseButton,
      make(
        "button",
        { class: "button", type: "button", on: { click: () => view.clear() } },
        "Clear",
      ),
    ),
  );
  void begin();
  async function begin() {
    try {
      const { items } = await api.get("log", { limit: FETCHED_LINES });
      view.start(items.toReversed());
    } catch {
      view.start(live.log);
    }
  }
  return {
    element: make("div", { class: "view log-view" }, bar, view.element),
    stop: () => ended.abort(),
  };
}

/** The lines, of which some are shown. */
class LogPane {
  element;
  pauseButton = make("button", {
    class: "button",
    type: "button",
    "aria-pressed": "false",
  }, "Pause");
  #list = make("ol", {
    class: "log-lines",
    tabindex: "0",
    "aria-label": "Log",
    role: "log",
    "aria-live": "off",
  });
  #status = make("p", { class: "table-count", role: "status" }, "Loading");
  /** @type {LogLine[]} */
  #lines = [];
  /** @type {LogLine[]} */
  #waiting = [];
  #paused = false;
  #text = "";
  #level = "debug";

  constructor() {
    this.element = make("section", { class: "log-box" }, this.#list, this.#status);
    this.pauseButton.addEventListener("click", () => this.#pause(!this.#paused));
  }

  /** @param {readonly LogLine[]} lines what was written before; what came meanwhile follows */
  start(lines) {
    const last = lines.at(-1)?.number ?? 0;
    const later = this.#lines.filter(({ number }) => number > last);
    this.#lines = [...lines, ...later];
    this.#draw();
  }

  /** @param {LogLine} line */
  add(line) {
    if (this.#paused) {
      this.#waiting.push(line);
      if (this.#waiting.length > LINES_MAX) this.#waiting.shift();
      this.#say();
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
    if (!this.#wanted(line)) return;
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight <
      NEAR_PX;
    this.#list.append(rowOf(line));
    if (this.#list.childElementCount > LINES_MAX) {
      this.#list.firstElementChild?.remove();
    }
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
    this.#say();
  }

  /** @param {{ text?: string, level?: string }} changes */
  filter({ text = this.#text, level = this.#level }) {
    this.#text = text;
    this.#level = level;
    this.#draw();
  }

  /** Takes all lines off this page; the broker keeps its own. */
  clear() {
    this.#lines = [];
    this.#waiting = [];
    this.#draw();
  }

  /** @param {boolean} paused */
  #pause(paused) {
    this.#paused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    write(this.pauseButton, paused ? "Go on" : "Pause");
    if (!paused) {
      this.#lines.push(...this.#waiting);
      this.#lines.splice(0, Math.max(0, this.#lines.length - LINES_MAX));
      this.#waiting = [];
      this.#draw();
    } else this.#say();
  }

  /** @param {LogLine} line */
  #wanted({ level, room, text }) {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.#level)) return false;
    return this.#text === "" ||
      `${room} ${text}`.toLowerCase().includes(this.#text);
  }

  #draw() {
    this.#list.replaceChildren(...this.#lines.filter((line) => this.#wanted(line)).map(rowOf));
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#say();
  }

  #say() {
    const shown = this.#list.childElementCount;
    const waiting = this.#paused ? ` · paused, ${this.#waiting.length} more since` : "";
    write(
      this.#status,
      shown === 0 ? `No line is like that${waiting}` : `${shown} lines${waiting}`,
    );
  }
}

/** @param {LogLine} line */
function rowOf({ time: at, level, room, text }) {
  return make(
    "li",
    { class: `log-line level-${KINDS[level] ?? "idle"}` },
    make("time", { datetime: at }, time(at)),
    make("span", { class: "log-level" }, mark(KINDS[level] ?? "idle"), level),
    make("span", { class: "log-room" }, room),
    make("span", { class: "log-text" }, text),
  );
}
