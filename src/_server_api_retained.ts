/** What the admin API shows of retained messages, and does with them. */
import { compareText, type Order, select } from "./_server_selection.ts";
import type { Turns } from "./_server_turns.ts";
import { type ApiPublisher, payloadOf, previewOf, type RetainedView } from "./admin/mod.ts";
import { isServerTopic, type Message, type RetainedLevels } from "./broker/mod.ts";
import { asTopicFilter, asTopicName, encodeUtf8, type TopicFilter } from "./mqtt/mod.ts";
import { quote } from "./security/mod.ts";

type Level = [string, RetainedLevels extends ReadonlyMap<string, infer L> ? L : never];

const BY_TOPIC: Order<Message> = {
  compare: (a, b) => compareBytes(topicOf(a), topicOf(b)),
  compareToName: (message, name) => compareBytes(topicOf(message), nameBytes(name)),
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
    const page = await select(oversight.retainedMatching(wanted), {
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

function contentOf({ payload, qos }: Message) {
  return { qos, ...previewOf(payload, payload.length) };
}

/** The bytes of the topic, as they stand in the message. */
function topicOf({ bytes, start, topicEnd }: Message): Uint8Array {
  return bytes.subarray(start + 2, topicEnd);
}

/** The name of the cursor, which every item is compared with. */
let lastName = "";
let lastBytes = encodeUtf8(lastName);

function nameBytes(name: string): Uint8Array {
  if (name !== lastName) {
    lastName = name;
    lastBytes = encodeUtf8(name);
  }
  return lastBytes;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
