/** Certificates and last known values as the admin API shows them. */
import { moment, momentOf } from "./_server_api_sparkplug.ts";
import { snakeCased } from "./_server_api_snake_case.ts";
import type { SparkplugValues } from "./_server_sparkplug_values.ts";
import type { Turns } from "./_server_turns.ts";
import {
  type ApiValues,
  type BirthView,
  decodeCursor,
  encodeCursor,
  pageOfList,
} from "./admin/mod.ts";
import type { TopicFilter } from "./mqtt/mod.ts";
import { type LastValue, loadJudging, NAMESPACE, parseTopic } from "./sparkplug/mod.ts";

/** Certificates that go in one turn. */
const PURGED_MAX = 10_000;

/** What the routes show and change in a running broker. */
export function birthView(turns: Turns, values: SparkplugValues | null): BirthView {
  const { certificates } = turns.broker;
  return {
    values: (name, { search, limit, cursor }) => {
      const from = cursor === undefined ? 0 : Number(decodeCursor(cursor) ?? NaN);
      if (!Number.isSafeInteger(from) || from < 0) return "unfit";
      const page = values?.page({ ...name, search, limit, from }) ?? null;
      return page && {
        online: page.online,
        since: moment(page.sinceMs)!,
        cause: page.cause,
        items: page.items.map(apiValue),
        next: page.next === null ? null : encodeCursor(String(page.next)),
        total: page.total,
      };
    },
    birth: ({ group, node, device }) =>
      certificates.payloadOf(
        device === null
          ? `${NAMESPACE}/${group}/NBIRTH/${node}`
          : `${NAMESPACE}/${group}/DBIRTH/${node}/${device}`,
      ),
    decoded: async (birth) => {
      const { PayloadCodec, payloadJson } = await loadJudging();
      const decoded = (await PayloadCodec.load()).decode(birth);
      return "problem" in decoded ? decoded : { json: snakeCased(payloadJson(decoded.payload)) };
    },
    certificates: ({ group, node, ...page }) => {
      const kept = certificates.kept.flatMap(({ birth, bytes }) => {
        const topic = parseTopic(birth);
        if (topic?.kind !== "topic") return [];
        if (group !== undefined && topic.group !== group) return [];
        if (node !== undefined && topic.node !== node) return [];
        const { device } = topic;
        return [{ topic: birth, group: topic.group, node: topic.node, device, bytes }];
      });
      const sorted = kept.sort((a, b) => a.topic < b.topic ? -1 : 1);
      return pageOfList(sorted, page, ({ topic }) => topic);
    },
    purge: async ({ group, node, device }, announce) => {
      const births = device !== undefined
        ? `${NAMESPACE}/${group}/DBIRTH/${node}/${device}`
        : node !== undefined
        ? `${NAMESPACE}/${group}/+/${node}/#`
        : `${NAMESPACE}/${group}/#`;
      const filter = births as TopicFilter;
      const { result, committed } = turns.change((_, instant) =>
        certificates.purge(filter, { max: PURGED_MAX, announce, instant })
      );
      return await committed ? result : null;
    },
  };
}

function apiValue(value: LastValue): ApiValues["items"][number] {
  return {
    name: value.name,
    alias: value.alias,
    data_type: value.dataType,
    value: snakeCased(value.value),
    timestamp: momentOf(value.timestampMs),
    received_at: moment(value.cameMs),
    quality: value.quality,
    stale: value.stale,
  };
}
