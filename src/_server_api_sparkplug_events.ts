/** Who goes online and offline in the plant, for those who listen. */
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { EventHub } from "./admin/mod.ts";

type Desk = NonNullable<SparkplugSide["desk"]>;

/** Edge Nodes and hosts of which listeners are told in a second. */
const CHANGES_MAX = 200;

/** Tells of what has changed since a second ago. */
export class PlantEvents {
  readonly #desk: Desk;
  readonly #hub: EventHub;
  /** Whether each Edge Node and host is online; null while nobody listens. */
  #online: Map<string, boolean | null> | null = null;
  #summary = "";

  constructor(desk: Desk, hub: EventHub) {
    this.#desk = desk;
    this.#hub = hub;
  }

  /** A second has passed, and somebody listens to something. */
  second(): void {
    if (!this.#hub.wants("sparkplug")) {
      this.#online = null;
      return;
    }
    const before = this.#online;
    this.#online = this.#look();
    if (before !== null) this.#tell(before, this.#online);
    this.#tellSummary();
  }

  #look(): Map<string, boolean | null> {
    const { referee } = this.#desk;
    const online = new Map<string, boolean | null>();
    for (const node of referee.plant.names()) online.set(`${node.group}/${node.name}`, node.online);
    for (const host of referee.plant.hosts()) online.set(`STATE/${host.name}`, host.online);
    return online;
  }

  #tell(before: Map<string, boolean | null>, now: Map<string, boolean | null>): void {
    const changed = [...now].filter(([subject, online]) => before.get(subject) !== online);
    const time = new Date().toISOString();
    for (const [subject, online] of changed.slice(0, CHANGES_MAX)) {
      this.#hub.publish("sparkplug", "sparkplug", { time, subject, online });
    }
    const untold = changed.length - CHANGES_MAX;
    if (untold > 0) this.#hub.publish("sparkplug", "sparkplug_untold", { count: untold });
  }

  /** Devices and violations are too many to be told one by one. */
  #tellSummary(): void {
    const { nodesOnline, devicesOnline, hostsOnline, violations } = this.#desk.referee.census();
    const summary = {
      nodes_online: nodesOnline,
      devices_online: devicesOnline,
      hosts_online: hostsOnline,
      violations,
    };
    const text = JSON.stringify(summary);
    if (text === this.#summary) return;
    this.#summary = text;
    this.#hub.publish("sparkplug", "sparkplug_summary", summary);
  }
}
