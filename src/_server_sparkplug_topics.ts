/** What the referee knows, as topics under `$SYS/broker/sparkplug/`. */
import type { SparkplugConfig } from "./config/mod.ts";
import type { Referee } from "./sparkplug/mod.ts";

const TREE = "$SYS/broker/sparkplug/";

/** Makes the topics of one round; remembers the last one, so that only changes are published. */
export class SparkplugTopics {
  readonly #config: SparkplugConfig;
  #published = new Map<string, string>();

  constructor(config: SparkplugConfig) {
    this.#config = config;
  }

  /** Topic and value of everything that has changed; an empty value where a topic is gone. */
  round(referee: Referee, more: Readonly<Record<string, number>>): readonly [string, string][] {
    const now = new Map<string, string>();
    for (const [name, value] of [...figuresOf(referee), ...Object.entries(more)]) {
      now.set(TREE + name, String(value));
    }
    this.#addCounters(now, referee);
    if (this.#config.topology) addTopology(now, referee);
    const changed = [...now].filter(([topic, value]) => this.#published.get(topic) !== value);
    const gone = [...this.#published.keys()].filter((topic) => !now.has(topic));
    this.#published = now;
    return [...changed, ...gone.map((topic): [string, string] => [topic, ""])];
  }

  #addCounters(now: Map<string, string>, referee: Referee): void {
    let left = this.#config.countersMax;
    if (left === 0) return;
    let unshown = 0;
    for (const { tckId, subject, count } of referee.violations.counts()) {
      if (left > 0) {
        left--;
        const about = subject === "" ? "" : `/${subject}`;
        now.set(`${TREE}violations/${tckId}${about}`, String(count));
      } else unshown++;
    }
    now.set(`${TREE}violations-unshown`, String(unshown));
  }
}

function figuresOf(referee: Referee): [string, number][] {
  const census = referee.census();
  const { unfit } = census;
  return [
    ["violations", census.violations],
    ["nodes/connected", census.nodesConnected],
    ["nodes/online", census.nodesOnline],
    ["nodes/known", census.nodesKnown],
    ["devices/online", census.devicesOnline],
    ["hosts/online", census.hostsOnline],
    ["births", census.births],
    ["deaths", census.deaths],
    ["messages", census.messages],
    ["messages/withheld", census.withheld],
    ["seq-gaps", census.seqGaps],
    ["rebirth-requests", census.rebirthRequests],
    ...[...referee.rebirthsByCause].map(([cause, count]): [string, number] => {
      return [`rebirth-requests/${cause}`, count];
    }),
    ["legacy-states", census.legacyStates],
    ["not-judged/nodes", unfit.nodes],
    ["not-judged/devices", unfit.devices],
    ["not-judged/metrics", unfit.metrics],
    ["not-judged/hosts", unfit.hosts],
    ["not-judged/subjects", unfit.violationSubjects],
    ["recorder/bytes", referee.recorder?.bytes ?? 0],
    ["recorder/unrecorded", referee.recorder?.unrecorded ?? 0],
  ];
}

function addTopology(now: Map<string, string>, referee: Referee): void {
  const { nodes, hosts } = referee.topology({ withMetrics: false });
  for (const { metrics: _, devices, ...node } of nodes) {
    const brief = devices.map(({ metrics: _, ...device }) => device);
    const topic = `${TREE}topology/nodes/${node.group}/${node.name}`;
    now.set(topic, JSON.stringify({ ...node, devices: brief }));
  }
  for (const host of hosts) {
    now.set(`${TREE}topology/hosts/${host.name}`, JSON.stringify(host));
  }
}
