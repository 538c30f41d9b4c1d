/** What the admin API shows of retained messages, and does with them. */
import { compareText, type Order, select } from "./_server_selection.ts";
import type { Turns } from "./_server_turns.ts";
import { type ApiPublisher, payloadOf, previewOf, type RetainedView } from "./admin/mod.ts";
import { isServerTopic, makeMessage, type Message, type RetainedLevels } from "./broker/mod.ts";
import { asTopicFilter, asTopicName, type TopicFilter } from "./mqtt/mod.ts";
import { quote } from "./security/mod.ts";

type Level = [string, RetainedLevels extends ReadonlyMap<string, infer L> ? L : never];

const BY_TOPIC: Order<Message> = {
  compare: compareTopics,
  compareToName: (message, name) => compareTopics(message, messageNamed(name)),
  nameOf: ({ topic }) => topic,
};

const BY_LEVEL: Order<Level> = {
  compare: ([a], [b]) => compareText(a, b),
  compareToName: ([level], name) => compareText(level, name),
  nameOf: ([level]) => level,
};

/** Shows what is retained, and removes it. */
export function retainedView(turns: Turns): RetainedView {
  const { oversight, statistics } = turns.broker;
  const pause = () => turns.nextIteration();
  async function list(
    { limit, cursor, filter, search }: Parameters<RetainedView["list"]>[0],
    wanted: TopicFilter,
  ) {
    const needle = search?.toLowerCase();
    const page = await select(matching(oversight.retainedBelow([]), wanted.split("/")), {
      ...{ order: BY_TOPIC, limit, cursor, pause },
      isWanted: ({ topic }) => needle === undefined || topic.toLowerCase().includes(needle),
    });
    if (page === null) return null;
    const items = page.items.map((message) => ({ topic: message.topic, ...contentOf(message) }));
    const isAll = filter === undefined && search === undefined;
    return { items, next: page.next, total: isAll ? statistics.retainedMessages : null };
  }
  return {
    list(query) {
      const filter = asTopicFilter(query.filter ?? "#");
      return typeof filter === "object" ? `filter: ${filter.reason}` : list(query, filter);
    },
    get(written) {
      const topic = asTopicName(written);
      const message = typeof topic === "object" ? null : oversight.retained(topic);
      if (message === null) return null;
      const { payload, qos } = message;
      return { topic: written, qos, ...payloadOf(payload, payload.length) };
    },
    async remove(written, caller) {
      const topic = asTopicName(written);
      if (typeof topic === "object") return "none";
      if (isServerTopic(topic)) return "server";
      const { result: known, committed } = turns.change((oversight, instant) =>
        oversight.removeRetained(topic, instant)
      );
      if (!known) return await committed ? "none" : "unwritten";
      const text = `retained message removed by ${quote(caller.name)}: topic=${quote(topic)}`;
      turns.log.line("info", text, { room: "admin" });
      return await committed ? "done" : "unwritten";
    },
    tree({ limit, cursor, prefix }) {
      if (prefix !== "" && !prefix.endsWith("/")) return "prefix: it has to end with /";
      const levels = oversight.retainedBelow(prefix.split("/").slice(0, -1));
      const walk: Iterable<Level> = levels?.entries() ?? [];
      return select(walk, { order: BY_LEVEL, limit, cursor, pause, isWanted: () => true })
        .then((page) =>
          page === null ? null : {
            items: page.items.map(([level, { children, message }]) => ({
              level,
              topic: prefix + level,
              has_children: children !== null,
              retained: message === null ? null : contentOf(message),
            })),
            next: page.next,
            total: levels?.size ?? 0,
          }
        );
    },
  };
}

/** Publishes what an operator wants published. */
export function publisher(turns: Turns): ApiPublisher {
  return async (message, caller) => {
    const { result, committed } = turns.change((oversight, instant) =>
      oversight.publish(message, instant)
    );
    if (typeof result === "object") return { problem: result.reason };
    const text = `published by ${quote(caller.name)}: topic=${quote(message.topic)}`;
    turns.log.line("info", text, { room: "admin" });
    return { matched: result, committed: await committed };
  };
}

/** A step of the walk: levels that stand side by side, and where in the filter they are. */
interface Step {
  readonly levels: Iterator<Level>;
  readonly depth: number;
  /** Whether the filter has ended in # above them. */
  readonly all: boolean;
}

/**
 * The retained messages whose topic matches; null for a level without one. By a stack and not by
 * recursion, which costs generators five times as much: of 100,000 each is looked at for one page.
 */
function* matching(
  root: RetainedLevels | null,
  filter: readonly string[],
): Generator<Message | null, void> {
  const steps: Step[] = root === null ? [] : [stepInto(root, filter, { depth: 0, all: false })];
  for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
    const { value, done } = step.levels.next();
    if (done === true) {
      steps.pop();
      continue;
    }
    const [name, { children, message }] = value;
    const { depth } = step;
    const isWild = step.all || filter[depth] === "#" || filter[depth] === "+";
    if (depth === 0 && isWild && name.startsWith("$")) continue; // [MQTT-4.7.2-1]
    const all = step.all || filter[depth] === "#";
    const next = filter[depth + 1];
    yield all || next === undefined || next === "#" ? message : null;
    if (children === null || (!all && next === undefined)) continue;
    steps.push(stepInto(children, filter, { depth: depth + 1, all }));
  }
}

/** All levels that stand side by side, or the one that the filter names. */
function stepInto(
  levels: RetainedLevels,
  filter: readonly string[],
  at: { depth: number; all: boolean },
): Step {
  const name = at.all ? "#" : filter[at.depth]!;
  if (name === "#" || name === "+") return { levels: levels.entries(), ...at };
  const level = levels.get(name);
  const named: Level[] = level === undefined ? [] : [[name, level]];
  return { levels: named.values(), ...at };
}

function contentOf({ payload, qos }: Message) {
  return { qos, ...previewOf(payload, payload.length) };
}

/** Topics in the order of their bytes, as they stand in the messages: to decode them costs more. */
function compareTopics(a: Message, b: Message): number {
  const lengthA = a.topicEnd - a.start;
  const lengthB = b.topicEnd - b.start;
  const length = Math.min(lengthA, lengthB);
  for (let i = 2; i < length; i++) {
    const difference = a.bytes[a.start + i]! - b.bytes[b.start + i]!;
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

/** The name of the cursor, with which every item is compared. */
let named: Message = makeMessage("", new Uint8Array(0), 0);
let lastName = "";

function messageNamed(name: string): Message {
  if (name !== lastName) {
    lastName = name;
    named = makeMessage(name, new Uint8Array(0), 0);
  }
  return named;
}
