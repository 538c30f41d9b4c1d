/**
 * The routing work: 100,000 Topic Filters held by 20 clients, and topics of which the number of
 * matching filters is known. No two filters of one client match the same topic, so every match is
 * one delivery however a broker treats overlapping subscriptions.
 */

/** Clients that hold the filters. */
export const TRIE_CLIENTS = 20;
/** Filters of each client. */
export const TRIE_FILTERS_PER_CLIENT = 5_000;
/** Topics that are published to, in turn. */
export const TRIE_TOPICS = 1_000;

const AREAS = 50;
const LINES = 50;
const DEVICES = 100;
const KINDS = 4;

/** The Topic Filters of client `client`: exact, `+` in the middle, `+` near the front, or `#` at the end. */
export function trieFilters(client: number): string[] {
  const filters: string[] = [];
  const metric = Math.floor(client / KINDS);
  for (let index = 0; index < TRIE_FILTERS_PER_CLIENT; index++) {
    const outer = index % AREAS;
    const inner = Math.floor(index / AREAS);
    switch (client % KINDS) {
      case 0:
        filters.push(
          topicOf({ area: outer, line: (outer + client) % LINES, device: inner, metric }),
        );
        break;
      case 1:
        filters.push(`plant/${two(outer)}/+/${two(inner)}/m${metric}`);
        break;
      case 2:
        filters.push(`plant/+/${two(outer)}/${two(inner)}/m${metric}`);
        break;
      default:
        filters.push(
          `plant/${two(outer)}/${two(inner % LINES)}/${two(hashDevice(client, inner))}/#`,
        );
    }
  }
  return filters;
}

/** The topics, spread over areas, lines, devices and metrics, always the same. */
export function trieTopics(): string[] {
  const topics: string[] = [];
  let state = 12_345;
  for (let index = 0; index < TRIE_TOPICS; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const pick = state >>> 8;
    const area = pick % AREAS;
    const device = Math.floor(pick / AREAS) % DEVICES;
    // Every fourth topic hits a client of exact filters as well.
    const line = index % 4 === 0 ? (area + (index % 5) * KINDS) % LINES : (pick >>> 5) % LINES;
    topics.push(topicOf({ area, line, device, metric: index % 5 }));
  }
  return topics;
}

/**
 * How many deliveries one message to each topic makes in all. Found by looking up every filter that
 * could match, which has nothing in common with how a broker routes.
 */
export function trieDeliveriesPerCycle(): number {
  const filters = new Map<string, number>();
  for (let client = 0; client < TRIE_CLIENTS; client++) {
    for (const filter of trieFilters(client)) filters.set(filter, (filters.get(filter) ?? 0) + 1);
  }
  let deliveries = 0;
  for (const topic of trieTopics()) {
    for (const candidate of filtersMatching(topic)) deliveries += filters.get(candidate) ?? 0;
  }
  return deliveries;
}

/** All Topic Filters that match a topic: each level as it is or `+`, cut off by `#` anywhere. */
function filtersMatching(topic: string): string[] {
  const complete: string[] = [];
  let prefixes = [""];
  for (const level of topic.split("/")) {
    complete.push(...prefixes.map((prefix) => `${prefix}#`));
    prefixes = prefixes.flatMap((prefix) => [`${prefix}${level}/`, `${prefix}+/`]);
  }
  complete.push(...prefixes.map((prefix) => prefix.slice(0, -1)));
  complete.push(...prefixes.map((prefix) => `${prefix}#`));
  return complete;
}

function hashDevice(client: number, inner: number): number {
  return (client + (inner < LINES ? 0 : LINES)) % DEVICES;
}

function topicOf(at: { area: number; line: number; device: number; metric: number }): string {
  return `plant/${two(at.area)}/${two(at.line)}/${two(at.device)}/m${at.metric}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
