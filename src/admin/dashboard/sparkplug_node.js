/** One Edge Node or Device: its state, its metrics as they come, its last messages with their verdicts. */
import { segment } from "./api.js";
import { failure, loading } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { searchField } from "./fields.js";
import { ago, bytes, integer, milliseconds, rate, time, UNKNOWN } from "./format.js";
import { mark, state } from "./shapes.js";
import { DataTable, factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */
/** @typedef {{ group: string, node: string, device: string | null }} SparkplugName */

/** Beyond this the clocks of a plant are not one any more. */
const SKEW_MS_WARN = 5_000;

/** @type {Readonly<Record<string, import("./shapes.js").StateKind>>} */
export const SEVERITIES = { fatal: "bad", error: "bad", warn: "warn", info: "info" };

/** What is shown of one of them; `refresh` shows it as it is now. */
export class SparkplugPanel {
  element = make("section", { class: "detail", "aria-label": "The chosen node or device" });
  #context;
  #name;
  #facts = make("div");
  #violations = make("div");
  /** @type {any[]} */
  #metrics = [];
  #left = 0;
  #search = "";
  #table;
  #shown = false;

  /**
   * @param {Context} context
   * @param {SparkplugName} name
   */
  constructor(context, name) {
    this.#context = context;
    this.#name = name;
    this.#table = this.#metricTable();
    fill(this.element, [loading()]);
  }

  /** Asks, and shows. */
  async refresh() {
    const { group, node, device } = this.#name;
    try {
      const path = `sparkplug/nodes/${segment(group)}/${segment(node)}`;
      const found = await this.#context.api.get(path, { device });
      this.#take(found, device === null ? found : deviceOf(found, device));
    } catch (error) {
      this.#shown = false;
      fill(this.element, [failure(error, () => void this.refresh())]);
    }
  }

  /**
   * @param {any} node
   * @param {any} one the node itself, or its device
   */
  #take(node, one) {
    const { group, node: nodeName, device } = this.#name;
    fill(this.#facts, [factList(device === null ? nodeFacts(node) : deviceFacts(one))]);
    if (device === null) fill(this.#violations, violationList(node.violations));
    this.#metrics = one.metrics;
    this.#left = node.metrics_left;
    void this.#table.refresh();
    if (this.#shown) return; // what somebody has opened stays open
    this.#shown = true;
    const field = searchField("Metric", (text) => {
      this.#search = text.toLowerCase();
      void this.#table.refresh();
    });
    fill(this.element, [
      make(
        "p",
        { class: "eyebrow" },
        device === null ? `Edge Node of ${group}` : `Device of ${nodeName}`,
      ),
      make("h2", { class: "name" }, device ?? nodeName),
      this.#facts,
      make("div", { class: "bar" }, make("h3", {}, "Metrics"), field),
      this.#table.element,
      this.#violations,
      ...messagesOf(node, device),
    ]);
  }

  #metricTable() {
    return new DataTable({
      label: "Metrics",
      fetch: () => {
        const items = this.#metrics.filter(({ name }) => name.toLowerCase().includes(this.#search));
        return Promise.resolve({ items, total: items.length + this.#left });
      },
      nothing: () => ({
        title: "No metrics",
        text: this.#search === ""
          ? "There was no birth yet, or it had none."
          : "None is called so.",
      }),
      columns: [
        { label: "Metric", kind: "name", cell: (row) => row.name },
        { label: "Value", kind: "number", cell: valueOf },
        { label: "Type", cell: (row) => row.data_type },
        { label: "When", kind: "number", cell: (row) => ago(row.at), minor: true },
        { label: "Alias", kind: "number", cell: (row) => row.alias ?? UNKNOWN, minor: true },
      ],
    });
  }
}

/**
 * @param {any} node
 * @param {string} device
 */
function deviceOf(node, device) {
  return node.devices.find((/** @type {any} */ { name }) => name === device) ?? { metrics: [] };
}

/**
 * @param {any} node
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function nodeFacts(node) {
  const away = node.connected ? "connected, not born" : "offline";
  return [
    ["State", node.online ? state("ok", "online") : state("idle", away)],
    ["Since", time(node.since)],
    ["Client", node.client_id ?? UNKNOWN],
    ["bdSeq / seq", `${node.bd_seq ?? UNKNOWN} / ${node.seq ?? UNKNOWN}`],
    ["Births / deaths", `${integer(node.births)} / ${integer(node.deaths)}`],
    ["Last birth", time(node.last_birth_at)],
    ["Last death", causeOf(node.last_death_at, node.last_death_cause)],
    [
      "Rebirths asked",
      node.rebirths_asked === 0
        ? "0"
        : `${integer(node.rebirths_asked)} · ${node.last_rebirth_cause}`,
    ],
    ["Gaps of seq", node.seq_gaps > 0 ? state("warn", integer(node.seq_gaps)) : "0"],
    ["Withheld", node.withheld > 0 ? state("warn", integer(node.withheld)) : "0"],
    ["Messages", `${integer(node.messages)} · ${bytes(node.bytes)}`],
    ["Rate", `${rate(node.messages_per_s)} messages/s`],
    ["Clock", node.clock_skew_ms === null ? UNKNOWN : skew(node.clock_skew_ms)],
    ["Primary host", node.primary_host ?? "none"],
  ];
}

/**
 * @param {any} device
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function deviceFacts(device) {
  return [
    ["State", device.online ? state("ok", "online") : state("idle", "offline")],
    ["Since", time(device.since)],
    ["Births / deaths", `${integer(device.births)} / ${integer(device.deaths)}`],
    ["Last birth", time(device.last_birth_at)],
    ["Last death", causeOf(device.last_death_at, device.last_death_cause)],
    ["Messages", integer(device.messages)],
    ["Last message", ago(device.last_message_at)],
  ];
}

/**
 * @param {string | null} at
 * @param {string} cause
 */
function causeOf(at, cause) {
  if (at === null || at === undefined) return "none seen";
  return cause === "" ? time(at) : `${time(at)} · ${cause}`;
}

/** @param {number} ms */
function skew(ms) {
  const kind = Math.abs(ms) > SKEW_MS_WARN ? "warn" : "ok";
  return state(kind, `${milliseconds(Math.abs(ms))} ${ms < 0 ? "behind" : "ahead"}`);
}

/**
 * Broken statements in words.
 * @param {readonly any[]} violations
 */
export function violationList(violations) {
  if (violations.length === 0) return [];
  const items = violations.map(({ rule, severity, text, count, example = "" }) =>
    make(
      "li",
      {},
      mark(SEVERITIES[severity] ?? "warn"),
      make(
        "div",
        {},
        make("code", {}, rule),
        make("p", { class: "rule-text" }, text),
        example === ""
          ? null
          : make("p", { class: "rule-text" }, "Latest: ", make("q", {}, example)),
      ),
      make("span", { class: "tag" }, `${integer(count)} ×`),
    )
  );
  return [make("h3", {}, "Violations"), make("ul", { class: "violations" }, ...items)];
}

/** @param {any} metric */
function valueOf({ value, stale }) {
  const text = value === null
    ? UNKNOWN
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
  if (stale !== true) return make("span", {}, text);
  return make(
    "span",
    { class: "stale", title: "stale: it may be another one by now" },
    mark("idle"),
    text,
  );
}

/**
 * @param {any} node
 * @param {string | null} device
 */
function messagesOf({ messages_recorded: messages, recorder }, device) {
  const title = make("h3", {}, "Last messages");
  if (recorder === "off") {
    return [
      title,
      make("p", { class: "muted" }, "The recorder is off: set sparkplug.recorded_messages_max."),
    ];
  }
  const shown = messages.filter((/** @type {any} */ one) =>
    device === null || one.device === device
  );
  if (shown.length === 0) return [title, make("p", { class: "muted" }, "None is recorded.")];
  return [title, ...shown.map(messageView)];
}

/** @param {any} message */
function messageView({ at, type, device, bytes: size, action, broken, decoded }) {
  const head = make(
    "summary",
    {},
    mark(broken.length === 0 ? "ok" : "warn"),
    make("time", {}, time(at)),
    make("b", {}, type),
    make("span", { class: "name" }, device ?? ""),
    make(
      "span",
      { class: "muted" },
      action === null || action === "route" ? bytes(size) : `${bytes(size)} · ${action}`,
    ),
  );
  return make(
    "details",
    { class: "message" },
    head,
    ...broken.map((/** @type {string} */ rule) => make("p", {}, make("code", {}, rule))),
    decoded === null
      ? make("p", { class: "muted" }, "There is nothing in it that can be read.")
      : make("pre", { class: "payload", tabindex: "0" }, JSON.stringify(decoded, null, 2)),
  );
}
