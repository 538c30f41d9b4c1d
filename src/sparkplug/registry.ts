/** Edge Nodes, Devices and hosts, within their bounds. */
import { Device, EdgeNode, Host } from "./node_state.ts";

/** How many there may be. */
export interface RegistryBounds {
  readonly nodesMax: number;
  readonly devicesPerNodeMax: number;
  readonly hostsMax: number;
}

/** The bdSeq of the last CONNECT of an Edge Node; null if it is forgotten. */
export interface BdSeqChange {
  /** `G/E`. */
  readonly edgeNode: string;
  readonly bdSeq: number | null;
}

/** What found no room. */
export interface UnfitCounts {
  nodes: number;
  devices: number;
  metrics: number;
  hosts: number;
}

/** Entries that are looked at for one to give up. */
const EVICTION_LOOKS = 32;

/** Finds and makes them. */
export class Registry {
  readonly unfit: UnfitCounts = { nodes: 0, devices: 0, metrics: 0, hosts: 0 };
  readonly #bounds: RegistryBounds;
  /** By Group ID, then by Edge Node ID: no key has to be put together for a message. */
  readonly #groups = new Map<string, Map<string, EdgeNode>>();
  /** In the order in which they are looked at for eviction. */
  readonly #nodes = new Set<EdgeNode>();
  readonly #hosts = new Map<string, Host>();
  /** The last bdSeq by `G/E`, of Edge Nodes that are known and of those from before; oldest first. */
  readonly #bdSeqs = new Map<string, number>();
  #bdSeqsChanged: BdSeqChange[] = [];

  constructor(bounds: RegistryBounds) {
    this.#bounds = bounds;
  }

  /** Every Edge Node. */
  get nodes(): ReadonlySet<EdgeNode> {
    return this.#nodes;
  }

  /** Every host. */
  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  /** Takes over what was known before a restart. */
  restore(edgeNodes: Iterable<{ readonly edgeNode: string; readonly bdSeq: number }>): void {
    for (const { edgeNode, bdSeq } of edgeNodes) this.bdSeqSeen(edgeNode, bdSeq);
    // What there is no room for any more is news.
    this.#bdSeqsChanged = this.#bdSeqsChanged.filter(({ bdSeq }) => bdSeq === null);
  }

  /** The bdSeq of a CONNECT of an Edge Node, `G/E`; the one that has not connected for longest goes. */
  bdSeqSeen(edgeNode: string, bdSeq: number): void {
    const known = this.#bdSeqs;
    known.delete(edgeNode);
    known.set(edgeNode, bdSeq);
    this.#bdSeqsChanged.push({ edgeNode, bdSeq });
    for (const oldest of known.keys()) {
      if (known.size <= this.#bounds.nodesMax) break;
      known.delete(oldest);
      this.#bdSeqsChanged.push({ edgeNode: oldest, bdSeq: null });
    }
  }

  /** What was taken down since the last call, in its order. */
  takeBdSeqs(): readonly BdSeqChange[] {
    const changed = this.#bdSeqsChanged;
    if (changed.length > 0) this.#bdSeqsChanged = [];
    return changed;
  }

  /** Whether there is room for one more Edge Node without giving up another. */
  get hasRoom(): boolean {
    return this.#nodes.size < this.#bounds.nodesMax;
  }

  /** The Edge Node, or null if it is not known. */
  find(group: string, name: string): EdgeNode | null {
    return this.#groups.get(group)?.get(name) ?? null;
  }

  /** The Edge Node, made if need be; null if there is no room. */
  node(group: string, name: string): EdgeNode | null {
    const found = this.#groups.get(group)?.get(name);
    if (found !== undefined) return found;
    if (this.#nodes.size >= this.#bounds.nodesMax && !this.#evict()) {
      this.unfit.nodes++;
      return null;
    }
    const node = new EdgeNode(group, name);
    node.lastBdSeq = this.#bdSeqs.get(node.key) ?? null;
    let names = this.#groups.get(group);
    if (names === undefined) this.#groups.set(group, names = new Map());
    names.set(name, node);
    this.#nodes.add(node);
    return node;
  }

  /** The Device, made if need be; null if there is no room. */
  device(node: EdgeNode, name: string): Device | null {
    const found = node.devices.get(name);
    if (found !== undefined) return found;
    if (node.devices.size >= this.#bounds.devicesPerNodeMax) {
      this.unfit.devices++;
      return null;
    }
    const device = new Device(name);
    node.devices.set(name, device);
    return device;
  }

  /** The host, made if need be; null if there is no room. */
  host(name: string): Host | null {
    const found = this.#hosts.get(name);
    if (found !== undefined) return found;
    if (this.#hosts.size >= this.#bounds.hostsMax && !this.#evictHost()) {
      this.unfit.hosts++;
      return null;
    }
    const host = new Host(name);
    this.#hosts.set(name, host);
    return host;
  }

  /** Another identifier of this kind that differs by case alone, or null. */
  sameButCase(topic: { group: string; node: string; device: string | null }): string | null {
    const { group, node, device } = topic;
    if (device !== null) return otherCase(this.find(group, node)?.devices.keys() ?? [], device);
    return otherCase(this.#groups.get(group)?.keys() ?? [], node) ??
      otherCase(this.#groups.keys(), group);
  }

  /** Gives up an Edge Node that nobody is connected for; false if none is found soon. */
  #evict(): boolean {
    let looks = 0;
    for (const node of this.#nodes) {
      if (++looks > EVICTION_LOOKS) return false;
      this.#nodes.delete(node);
      if (node.owner !== null) {
        this.#nodes.add(node);
        continue;
      }
      const names = this.#groups.get(node.group)!;
      names.delete(node.name);
      if (names.size === 0) this.#groups.delete(node.group);
      return true;
    }
    return false;
  }

  #evictHost(): boolean {
    for (const [name, host] of this.#hosts) {
      if (host.owner === null) return this.#hosts.delete(name);
    }
    return false;
  }
}

function otherCase(names: Iterable<string>, name: string): string | null {
  const lower = name.toLowerCase();
  for (const other of names) {
    if (other !== name && other.length === name.length && other.toLowerCase() === lower) {
      return other;
    }
  }
  return null;
}
