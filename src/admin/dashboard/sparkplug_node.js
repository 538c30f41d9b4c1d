/** One Edge Node or Device: its state, its metrics, its last messages with their verdicts. */
import { segment } from "./api.js";
import { failure, loading } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { searchField } from "./fields.js";
import { ago, bytes, integer, milliseconds, time, UNKNOWN } from "./format.js";
import { mark, state } from "./shapes.js";
import { DataTable, factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */

/**
 * Shows an Edge Node.
 * @param {Context} context
 * @param {HTMLElement} box
 * @param {{ group: string, node: string }} name
 */
export async function showNode(context, box, name) {
  const { group, node } = name;
  fill(box, [loading()]);
  try {
    const path = `sparkplug/nodes/${segment(group)}/${segment(node)}`;
    const found = await context.api.get(path);
    fill(box, [
      make("p", { class: "eyebrow" }, `Edge Node in ${group}`),
      make("h2", { class: "name" }, node),
      factList(nodeFacts(found)),
      ...violationsOf(found.violations),
      ...metricsOf(found.metrics),
      ...messagesOf(found.messages),
    ]);
  } catch (error) {
    fill(box, [failure(error, () => void showNode(context, box, name))]);
  }
}

/**
 * Shows a Device.
 * @param {Context} context
 * @param {HTMLElement} box
 * @param {{ group: string, node: string, device: string }} name
 */
export async function showDevice(context, box, name) {
  const { group, node, device } = name;
  fill(box, [loading()]);
  try {
    const found = await context.api.get(
      `sparkplug/nodes/${segment(group)}/${segment(node)}`,
    );
    const facts = found.devices.find((/** @type {any} */ candidate) => candidate.name === device) ??
      {};
    fill(box, [
      make("p", { class: "eyebrow" }, `Device of ${node}`),
      make("h2", { class: "name" }, device),
      factList([
        [
          "State",
          facts.online ? state("ok", "online") : state("idle", "offline"),
        ],
        ["Last birth", time(facts.last_birth_at)],
        ["Last death", time(facts.last_death_at)],
        [
          "Births / deaths",
          `${integer(facts.births)} / ${integer(facts.deaths)}`,
        ],
        ["Messages", integer(facts.messages)],
      ]),
      ...metricsOf(facts.metrics),
    ]);
  } catch (error) {
    fill(box, [failure(error, () => void showDevice(context, box, name))]);
  }
}

/**
 * @param {any} node
 * @returns {(readonly [string, import("./dom.js").Child])[]}
 */
function nodeFacts(node) {
  return [
    [
      "State",
      node.online
        ? state("ok", "online")
        : state("idle", node.connected ? "connected, not born" : "offline"),
    ],
    ["Client", node.client_id ?? UNKNOWN],
    ["bdSeq / seq", `${node.bd_seq ?? UNKNOWN} / ${node.seq ?? UNKNOWN}`],
    ["Last birth", time(node.last_birth_at)],
    [
      "Last death",
      node.last_death_at ? `${time(node.last_death_at)} ${node.last_death_cause}` : "never seen",
    ],
    ["Births / deaths", `${integer(node.births)} / ${integer(node.deaths)}`],
    ["Rebirths asked", integer(node.rebirths_asked)],
    [
      "Lost in sequence",
      node.seq_gaps > 0 ? state("warn", integer(node.seq_gaps)) : "0",
    ],
    ["Messages", `${integer(node.messages)} · ${bytes(node.bytes)}`],
    ["Clock", node.clock_skew_ms === null ? UNKNOWN : skew(node.clock_skew_ms)],
    ["Primary host", node.primary_host ?? "none"],
  ];
}

/** @param {number} ms */
function skew(ms) {
  return state(
    Math.abs(ms) > 5_000 ? "warn" : "ok",
    `${milliseconds(Math.abs(ms))} ${ms < 0 ? "behind" : "ahead"}`,
  );
}

/** @param {any} violations */
function violationsOf(violations) {
  if (!Array.isArray(violations) || violations.length === 0) return [];
  const items = violations.map(({ rule, text, count }) =>
    make(
      "li",
      {},
      mark("warn"),
      make(
        "div",
        {},
        make("code", {}, rule),
        make("p", { class: "rule-text" }, text),
      ),
      make("span", { class: "tag" }, `${integer(count)} ×`),
    )
  );
  return [
    make("h3", {}, "Violations"),
    make("ul", { class: "violations" }, ...items),
  ];
}

/** @param {any} metrics */
function metricsOf(metrics) {
  if (!Array.isArray(metrics)) return [];
  let search = "";
  const table = new DataTable({
    label: "Metrics",
    fetch: () =>
      Promise.resolve({
        items: metrics.filter(({ name }) => name.toLowerCase().includes(search)),
        next: null,
      }),
    nothing: () => ({
      title: "No metrics",
      text: search === "" ? "The birth had none, or there was none yet." : "None is called so.",
    }),
    columns: [
      { label: "Metric", kind: "name", cell: (row) => row.name },
      { label: "Value", kind: "number", cell: (row) => valueOf(row) },
      { label: "Type", cell: (row) => row.data_type },
      {
        label: "When",
        kind: "number",
        cell: (row) => row.at ? ago(row.at) : UNKNOWN,
        minor: true,
      },
      {
        label: "Alias",
        kind: "number",
        cell: (row) => row.alias ?? UNKNOWN,
        minor: true,
      },
    ],
  });
  void table.refresh();
  const field = searchField("Metric", (text) => {
    search = text.toLowerCase();
    void table.refresh();
  });
  return [
    make("div", { class: "bar" }, make("h3", {}, "Metrics"), field),
    table.element,
  ];
}

/** @param {any} metric */
function valueOf({ value, stale }) {
  const text = value === null || value === undefined
    ? UNKNOWN
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
  return stale
    ? make(
      "span",
      { class: "stale", title: "stale: it may be another one by now" },
      mark("idle"),
      text,
    )
    : make("span", {}, text);
}

/** @param {any} messages */
function messagesOf(messages) {
  if (!Array.isArray(messages) || messages.length === 0) return [];
  const items = messages.map(({ at, type, device, broken, decoded }) =>
    make(
      "details",
      { class: "message" },
      make(
        "summary",
        {},
        mark(broken.length === 0 ? "ok" : "warn"),
        make("time", {}, time(at)),
        make("b", {}, type),
        make("span", { class: "name" }, device ?? ""),
        broken.length === 0 ? null : make("span", { class: "muted" }, broken.join(", ")),
      ),
      make(
        "pre",
        { class: "payload", tabindex: "0" },
        JSON.stringify(decoded, null, 2),
      ),
    )
  );
  return [make("h3", {}, "Last messages"), ...items];
}
