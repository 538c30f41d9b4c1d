/** What of a configuration can change while the broker runs, and who has to be told. */
import { type Config, keyName, type ListenerConfig } from "./config/mod.ts";

/** Who puts changed keys in place. `views`: nobody, they are looked up where they are needed. */
export type Taker =
  | "access"
  | "core"
  | "door"
  | "judging"
  | "listeners"
  | "log"
  | "memory"
  | "rates"
  | "rounds"
  | "takeOvers"
  | "views"
  | "watch";

type Section = keyof Config;
type Takers = readonly Taker[];
/** Null: a restart is needed. */
type Rule = Takers | null;

interface SectionRule {
  readonly others: Rule;
  readonly keys?: Readonly<Record<string, Rule>>;
}

const RULES: Readonly<Record<Section, SectionRule>> = {
  listeners: {
    others: ["listeners"],
    keys: {
      address: null,
      allowAnonymous: ["access", "listeners"],
      certificateFile: ["listeners", "watch"],
      keyFile: ["listeners", "watch"],
      caFile: ["listeners", "watch"],
      crlFile: ["listeners", "watch"],
    },
  },
  security: {
    others: ["access", "watch"],
    keys: { loginMemoryMs: null, fileCheckMs: ["watch"] },
  },
  ip: { others: ["door"] },
  connectionRate: { others: ["door"] },
  loginGuard: { others: ["door"] },
  rate: { others: ["rates"] },
  audit: { others: null },
  takeOver: { others: ["takeOvers"] },
  protocol: { others: ["core"] },
  limits: { others: ["core"], keys: { connectTimeoutMs: ["core", "listeners"] } },
  queue: { others: ["core"] },
  outbox: { others: ["core"] },
  // The order in which messages were retained is known only if it was asked for at the start.
  retained: { others: null },
  session: { others: ["core"] },
  store: { others: null, keys: { backlogBytesMax: ["core"] } },
  deadLetters: { others: ["core"] },
  sparkplug: {
    others: null,
    keys: { certificatesMax: ["core"], certificatesBytesMax: ["core"], overrides: ["judging"] },
  },
  memory: { others: ["memory"], keys: { enabled: null } },
  sysTopics: { others: ["rounds"], keys: { enabled: null } },
  admin: { others: null },
  log: { others: ["log"], keys: { file: null, fileBytesMax: null, filesMax: null } },
  service: { others: ["views"] },
};

/** What another configuration changes. */
export interface ConfigChange {
  /** The configuration that can hold at once: the other one, but for what needs a restart. */
  readonly next: Config;
  /** Keys as they stand in the file, "limits.connections_max". */
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
  readonly takers: ReadonlySet<Taker>;
}

/** Compares what holds with what is wanted, key by key. */
export function compareConfigs(present: Config, wanted: Config): ConfigChange {
  const change = new Change();
  const next: Partial<Record<Section, unknown>> = {};
  for (const section of Object.keys(RULES) as Section[]) {
    next[section] = section === "listeners"
      ? change.listeners(present.listeners, wanted.listeners)
      : change.table(section, [present[section], wanted[section]]);
  }
  return {
    next: next as unknown as Config,
    applied: [...change.applied],
    needsRestart: [...change.needsRestart],
    takers: change.takers,
  };
}

class Change {
  readonly applied = new Set<string>();
  readonly needsRestart = new Set<string>();
  readonly takers = new Set<Taker>();

  /** A table with what can hold at once; `fixed`: nothing of it can. */
  table<Table extends object>(
    section: Section,
    [present, wanted]: readonly [Table, Table],
    { fixed = false } = {},
  ): Table {
    const next = { ...present } as Record<string, unknown>;
    const { others, keys = {} } = RULES[section];
    for (const [key, value] of Object.entries(wanted)) {
      if (next[key] === value) continue;
      const rule = fixed ? null : Object.hasOwn(keys, key) ? keys[key]! : others;
      const name = keyName(section, key);
      if (rule === null) {
        this.needsRestart.add(name);
        continue;
      }
      next[key] = value;
      this.applied.add(name);
      for (const taker of rule) this.takers.add(taker);
    }
    return next as Table;
  }

  /** Those that listen go on, whatever their order in the file; a new address needs a restart. */
  listeners(
    present: readonly ListenerConfig[],
    wanted: readonly ListenerConfig[],
  ): readonly ListenerConfig[] {
    const unused = [...wanted];
    const next = present.map((before) => {
      const index = unused.findIndex(({ address }) => address === before.address);
      if (index < 0) {
        this.needsRestart.add("listeners.address");
        return before;
      }
      const [after] = unused.splice(index, 1);
      const fixed = (before.certificateFile === "") !== (after!.certificateFile === "");
      return this.table("listeners", [before, after!], { fixed });
    });
    if (unused.length > 0) this.needsRestart.add("listeners.address");
    return next;
  }
}
