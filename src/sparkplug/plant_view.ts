/** What is known of the plant, for those who do not want all of it at once. */
import type { Registry } from "./registry.ts";
import { type HostView, hostViews, type NodeName, type NodeView, nodeView } from "./topology.ts";
import type { ViolationLog } from "./violation_log.ts";

/** Looks things up; what it gives changes no more. */
export class PlantView {
  readonly #registry: Registry;
  readonly #violations: ViolationLog;

  constructor(registry: Registry, violations: ViolationLog) {
    this.#registry = registry;
    this.#violations = violations;
  }

  /** Names of all Edge Nodes that are known. */
  names(): readonly NodeName[] {
    return Array.from(this.#registry.nodes, ({ group, name, born, heard }) => ({
      group,
      name,
      online: born,
      heard,
    }));
  }

  /** One Edge Node; null if nothing is known of it. */
  node(group: string, name: string, about: { readonly withMetrics: boolean }): NodeView | null {
    const node = this.#registry.find(group, name);
    return node === null ? null : nodeView(node, { ...about, violations: this.#violations });
  }

  /** All hosts. */
  hosts(): readonly HostView[] {
    return hostViews(this.#registry, this.#violations);
  }
}
