/** The plant as Sparkplug tells it: groups, Edge Nodes, Devices, metrics, and who breaks which rule. */
import { Drawer, empty, failure, loading } from "./dialogs.js";
import { fill, make } from "./dom.js";
import { searchField, segments } from "./fields.js";
import { ago, integer } from "./format.js";
import { mark, state } from "./shapes.js";
import { SEVERITIES, SparkplugPanel, violationList } from "./sparkplug_node.js";
import { DataTable } from "./table.js";
import { Tree } from "./tree.js";

/** @typedef {import("./main.js").Context} Context */
/** @typedef {import("./tree.js").TreeNode} TreeNode */

const REFRESH_MS = 2_000;
const TABS = /** @type {const} */ ([
  ["plant", "Plant"],
  ["report", "Conformance"],
  ["violations", "Violations"],
  ["hosts", "Hosts"],
]);

/**
 * The view.
 * @param {Context} context
 * @returns {import("./main.js").View}
 */
export function sparkplugView(context) {
  const { live } = context;
  const box = make("div", { class: "view" }, loading());
  const ended = new AbortController();
  /** @type {{ element: HTMLElement, refresh: () => void, tick?: () => void } | null} */
  let shown = null;
  /** @param {string} mode */
  function showOff(mode) {
    const now = mode === "off"
      ? "The broker does not look at Sparkplug"
      : "The broker keeps births, and judges nobody";
    fill(box, [
      empty(
        now,
        "Set sparkplug.mode to monitor in the configuration, and your plant stands here: who is online, what each node last said, and which rules are broken.",
      ),
    ]);
  }
  const panes = {
    plant: plantPane(context),
    report: reportPane(context),
    violations: violationsPane(context),
    hosts: hostsPane(context),
  };
  const content = make("div");
  /** @param {string} name */
  function show(name) {
    shown = panes[/** @type {keyof typeof panes} */ (name)];
    fill(content, [shown.element]);
    shown.refresh();
  }
  async function begin() {
    try {
      const { sparkplug_mode: mode } = live.status ?? await context.api.get("status");
      if (mode === "off" || mode === "aware") return showOff(mode);
      fill(box, [
        make(
          "div",
          { class: "bar" },
          segments("What is shown", { choices: TABS, chosen: "plant", changed: show }),
          state("info", `mode: ${mode}`),
        ),
        content,
      ]);
      show("plant");
    } catch (error) {
      fill(box, [failure(error, () => void begin())]);
    }
  }
  let isDue = false;
  for (const name of ["sparkplug", "sparkplug_summary"]) {
    live.addEventListener(name, () => isDue = true, { signal: ended.signal });
  }
  const timer = setInterval(() => {
    if (live.state !== "live") return;
    if (isDue) shown?.refresh();
    else shown?.tick?.();
    isDue = false;
  }, REFRESH_MS);
  void begin();
  return {
    element: box,
    refresh: () => void begin(),
    stop: () => {
      ended.abort();
      clearInterval(timer);
    },
  };
}

/** @param {Context} context */
function plantPane(context) {
  const { api } = context;
  const box = make("div", { class: "pane" });
  fill(box, [
    empty(
      "Nothing chosen",
      "Choose an Edge Node or a Device to see its metrics and its last messages.",
    ),
  ]);
  /** @type {SparkplugPanel | null} */
  let panel = null;
  /** @type {any} */
  let topology = null;
  const tree = new Tree({
    label: "Groups, Edge Nodes and Devices",
    nothing: () =>
      empty("No Edge Node has been born", "As soon as one publishes its NBIRTH, it stands here."),
    fetch: async (node) => {
      if (node === null) topology = await api.get("sparkplug/topology");
      return { nodes: branchesOf(topology, node), next: null };
    },
    choose: ({ key }) => {
      const [group = "", node = "", device = null] = key.split("/");
      panel = new SparkplugPanel(context, { group, node, device });
      fill(box, [panel.element]);
      void panel.refresh();
    },
  });
  tree.openAtFirst = true;
  return {
    element: make(
      "div",
      { class: "two-panes" },
      make("section", { class: "pane", "aria-label": "Plant" }, tree.element),
      box,
    ),
    refresh: () => {
      void tree.refresh();
      void panel?.refresh();
    },
    tick: () => void panel?.refresh(),
  };
}

/**
 * Sparkplug names have no slash, so that it can join them.
 * @param {any} topology
 * @param {TreeNode | null} parent
 * @returns {TreeNode[]}
 */
function branchesOf({ groups }, parent) {
  if (parent === null) return groups.map(groupBranch);
  const [groupName, nodeName] = parent.key.split("/");
  const group = groups.find((/** @type {any} */ { name }) => name === groupName);
  if (nodeName === undefined) {
    return group.nodes.map((/** @type {any} */ node) => nodeBranch(groupName ?? "", node));
  }
  const node = group.nodes.find((/** @type {any} */ { name }) => name === nodeName);
  return node.devices.map((/** @type {any} */ device) => ({
    key: `${parent.key}/${device.name}`,
    label: device.name,
    branches: false,
    chosen: true,
    note: device.online ? "" : "offline",
    mark: mark(device.online ? "ok" : "idle"),
  }));
}

/** @param {any} group */
function groupBranch({ name, nodes }) {
  const online = nodes.filter((/** @type {any} */ node) => node.online).length;
  return {
    key: name,
    label: name,
    branches: true,
    chosen: false,
    note: `${online} of ${nodes.length} nodes online`,
  };
}

/**
 * @param {string} group
 * @param {any} node
 */
function nodeBranch(group, node) {
  const broken = Object.values(node.violations ?? {}).reduce(
    (sum, count) => sum + Number(count),
    0,
  );
  return {
    key: `${group}/${node.name}`,
    label: node.name,
    branches: node.devices.length > 0,
    chosen: true,
    note: [
      node.online ? "" : "offline",
      broken > 0 ? `${integer(broken)} violations` : "",
    ].filter((part) => part !== "").join(" · "),
    mark: mark(!node.online ? "idle" : broken > 0 ? "warn" : "ok"),
  };
}

/** @type {Readonly<Record<string, readonly [import("./shapes.js").StateKind, string]>>} */
const GRADES = {
  conforming: ["ok", "conforming"],
  remarks: ["info", "remarks"],
  violations: ["bad", "violations"],
};

/** @param {string} grade */
function gradeOf(grade) {
  const [kind, text] = GRADES[grade] ?? ["idle", grade];
  return state(kind, text);
}

/** @param {Context} context */
function reportPane({ api }) {
  const table = new DataTable({
    label: "How well each Edge Node conforms",
    fetch: (page) => api.get("sparkplug/report", page),
    nothing: () => ({ title: "No Edge Node has been born", text: "There is nobody to report on." }),
    open: (row) => {
      const drawer = new Drawer(row.node, { kind: "Conformance of an Edge Node" });
      drawer.show(
        ...row.rows.length === 0
          ? [empty("It conforms", "No statement that can be watched was broken.")]
          : violationList(row.rows),
      );
    },
    columns: [
      { label: "Edge Node", kind: "name", cell: (row) => row.node },
      { label: "Grade", cell: (row) => gradeOf(row.grade) },
      { label: "Statements broken", kind: "number", cell: (row) => integer(row.rows.length) },
      { label: "Statements kept", kind: "number", cell: (row) => integer(row.kept) },
      { label: "Messages", kind: "number", cell: (row) => integer(row.messages) },
    ],
  });
  return { element: table.element, refresh: () => void table.refresh() };
}

/** @param {Context} context */
function violationsPane({ api }) {
  let search = "";
  const table = new DataTable({
    label: "Violations",
    fetch: (page) => api.get("sparkplug/violations", { ...page, search }),
    nothing: () =>
      search === ""
        ? {
          title: "No violations",
          text: "Whatever could be judged was as the specification wants it.",
        }
        : { title: "No violation is like that", text: "Change what is searched for." },
    columns: [
      { label: "Who", kind: "name", cell: (row) => row.subject || "nobody in particular" },
      { label: "Severity", cell: (row) => state(SEVERITIES[row.severity] ?? "warn", row.severity) },
      {
        label: "Rule",
        cell: (row) =>
          make("div", {}, make("code", {}, row.rule), make("p", { class: "rule-text" }, row.text)),
      },
      { label: "Count", kind: "number", cell: (row) => integer(row.count) },
      { label: "Last", kind: "number", cell: (row) => ago(row.last_at), minor: true },
    ],
  });
  const field = searchField("Node, rule or words", (text) => {
    search = text;
    void table.refresh();
  });
  return {
    element: make("div", {}, make("div", { class: "bar" }, field), table.element),
    refresh: () => void table.refresh(),
  };
}

/** @param {Context} context */
function hostsPane({ api }) {
  const table = new DataTable({
    label: "Host Applications",
    fetch: async () => ({ items: (await api.get("sparkplug/topology")).hosts, next: null }),
    nothing: () => ({
      title: "No Host Application",
      text: "A host that publishes its STATE stands here.",
    }),
    columns: [
      { label: "Host", kind: "name", cell: (row) => row.name },
      {
        label: "STATE",
        cell: (row) =>
          row.online === null
            ? state("idle", "unknown")
            : row.online
            ? state("ok", "online")
            : state("bad", "offline"),
      },
      { label: "Client", kind: "name", cell: (row) => row.client_id ?? "–" },
      {
        label: "Watched by",
        cell: (row) => row.watched_by.length === 0 ? "–" : row.watched_by.join(", "),
      },
    ],
  });
  return { element: table.element, refresh: () => void table.refresh() };
}
