/** SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (sections 3.8 to 3.11), Topic Filters (4.7). */
import { DecodeError, type Qos } from "../../src/mqtt/mod.ts";
import {
  bad,
  type BadCase,
  binary,
  bytes,
  filter,
  good,
  type GoodCase,
  packet,
  text,
} from "./wire_case.ts";

const ID = [0, 10];

function readsSubscribe(
  what: string,
  raw: Uint8Array,
  requests: readonly (readonly [string, Qos])[],
): GoodCase {
  const subscriptions = requests.map(([topicFilter, qos]) => ({
    filter: filter(topicFilter),
    qos,
  }));
  return good(what, raw, {
    packet: { type: "SUBSCRIBE", packetId: 10, subscriptions },
    direction: "toServer",
  });
}

function readsFilter(topicFilter: string): GoodCase {
  return readsSubscribe(
    `a SUBSCRIBE to "${topicFilter}"`,
    packet(0x82, ID, text(topicFilter), 1),
    [[topicFilter, 1]],
  );
}

function readsUnsubscribe(what: string, filters: readonly string[]): GoodCase {
  return good(what, packet(0xa2, ID, ...filters.map(text)), {
    packet: { type: "UNSUBSCRIBE", packetId: 10, filters: filters.map(filter) },
    direction: "toServer",
  });
}

function readsSuback(what: string, ...returnCodes: number[]): GoodCase {
  return good(what, packet(0x90, ID, returnCodes), {
    packet: { type: "SUBACK", packetId: 10, returnCodes },
    direction: "toClient",
  });
}

/** Good packets about subscriptions. */
export const SUBSCRIBE_GOOD: readonly GoodCase[] = [
  ...([0, 1, 2] as const).map((qos) =>
    readsSubscribe(`a SUBSCRIBE at QoS ${qos}`, packet(0x82, ID, text("a/b"), qos), [["a/b", qos]])
  ),
  readsSubscribe(
    "a SUBSCRIBE with three filters",
    packet(0x82, ID, text("a"), 0, text("b/#"), 1, text("+"), 2),
    [["a", 0], ["b/#", 1], ["+", 2]],
  ),
  readsSubscribe(
    "a SUBSCRIBE that names a filter twice",
    packet(0x82, ID, text("a"), 0, text("a"), 2),
    [["a", 0], ["a", 2]],
  ),
  ..."# + / /# /+ +/+ a/# a/+ a/+/b +/a/# +/+/# // $SYS/# a/+/+/b/# ä/#".split(" ")
    .map(readsFilter),
  readsFilter("__proto__"),
  readsFilter("x".repeat(80)),
  readsFilter("1/2/3/4/5/6/7/#"),
  good(
    "a SUBSCRIBE with a Remaining Length longer than needed",
    bytes(
      0x82,
      0x86,
      0x00,
      ID,
      text("a"),
      1,
    ),
    {
      packet: {
        type: "SUBSCRIBE",
        packetId: 10,
        subscriptions: [{ filter: filter("a"), qos: 1 }],
      },
      direction: "toServer",
      canonical: false,
    },
  ),
  readsUnsubscribe("an UNSUBSCRIBE with one filter", ["a/b"]),
  readsUnsubscribe("an UNSUBSCRIBE with three filters", ["a", "+/b", "#"]),
  readsUnsubscribe("an UNSUBSCRIBE that names a filter twice", ["a", "a"]),
  readsSuback("a SUBACK with one return code", 0),
  readsSuback("a SUBACK with every return code", 0, 1, 2, 0x80),
];

const E = DecodeError;

function badFilter(what: string, topicFilter: ArrayLike<number>, error: BadCase["error"]): BadCase {
  return bad(`a SUBSCRIBE to ${what}`, packet(0x82, ID, binary(topicFilter), 1), { error });
}

function encoded(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Bad SUBSCRIBE packets. */
const BAD_SUBSCRIBE: readonly BadCase[] = [
  bad("a SUBSCRIBE with an empty body", bytes(0x82, 0), { error: E.packetTruncated }),
  bad("a SUBSCRIBE with half a Packet Identifier", bytes(0x82, 1, 0), {
    error: E.packetTruncated,
  }),
  bad("a SUBSCRIBE without a filter [MQTT-3.8.3-3]", packet(0x82, ID), {
    error: E.subscribeEmpty,
  }),
  bad("a SUBSCRIBE with Packet Identifier 0 [MQTT-2.3.1-1]", packet(0x82, 0, 0, text("a"), 0), {
    error: E.packetIdZero,
  }),
  bad("a SUBSCRIBE with Packet Identifier 0 and no filter", packet(0x82, 0, 0), {
    error: E.packetIdZero,
  }),
  bad("a SUBSCRIBE without the QoS of its filter", packet(0x82, ID, text("a")), {
    error: E.packetTruncated,
  }),
  bad("a SUBSCRIBE whose filter runs past its end", packet(0x82, ID, 0, 9, 0x61), {
    error: E.packetTruncated,
  }),
  bad("a SUBSCRIBE with half a filter length", packet(0x82, ID, text("a"), 0, 0), {
    error: E.packetTruncated,
  }),
  ...[3, 4, 0x80, 0xff].map((options) =>
    bad(
      `a SUBSCRIBE with ${options} where the QoS stands [MQTT-3-8.3-4]`,
      packet(0x82, ID, text("a"), options),
      { error: E.subscribeReservedBits },
    )
  ),
  bad("a SUBSCRIBE whose second filter is bad", packet(0x82, ID, text("a"), 0, text("a#"), 0), {
    error: E.filterMultiLevel,
  }),
  ...[0x80, 0x81, 0x83, 0x8a].map((first) =>
    bad(
      `a SUBSCRIBE with first byte ${first} [MQTT-3.8.1-1]`,
      packet(first, ID, text("a"), 0),
      { error: E.subscribeFlags },
    )
  ),
  badFilter("an empty filter [MQTT-4.7.3-1]", [], E.topicEmpty),
  ..."a# #/a a/#/b ## #+ +# a/b# /#/".split(" ").map((value) =>
    badFilter(
      `"${value}" [MQTT-4.7.1-2]`,
      encoded(value),
      value.startsWith("+") ? E.filterSingleLevel : E.filterMultiLevel,
    )
  ),
  ..."a+ +a a/+b a+/b ++ a/++/b".split(" ").map((value) =>
    badFilter(`"${value}" [MQTT-4.7.1-3]`, encoded(value), E.filterSingleLevel)
  ),
  badFilter("a filter with U+0000 [MQTT-4.7.3-2]", [0x61, 0], E.nullCharacter),
  badFilter("an ill-formed filter [MQTT-3.8.3-1]", [0xc3], E.illFormedUtf8),
  badFilter("a filter with a surrogate", [0xed, 0xa0, 0x80], E.illFormedUtf8),
  badFilter("a filter above the limit of bytes", new Uint8Array(81).fill(0x61), E.topicTooLong),
  badFilter("a filter above the limit of levels", encoded("1/2/3/4/5/6/7/8/#"), E.topicTooDeep),
];

/** Bad packets about subscriptions. */
export const SUBSCRIBE_BAD: readonly BadCase[] = [
  ...BAD_SUBSCRIBE,
  bad("an UNSUBSCRIBE with an empty body", bytes(0xa2, 0), { error: E.packetTruncated }),
  bad("an UNSUBSCRIBE without a filter [MQTT-3.10.3-2]", packet(0xa2, ID), {
    error: E.unsubscribeEmpty,
  }),
  bad("an UNSUBSCRIBE with Packet Identifier 0 [MQTT-2.3.1-1]", packet(0xa2, 0, 0, text("a")), {
    error: E.packetIdZero,
  }),
  bad("an UNSUBSCRIBE whose filter runs past its end", packet(0xa2, ID, 0, 2, 0x61), {
    error: E.packetTruncated,
  }),
  bad("an UNSUBSCRIBE with half a filter length", packet(0xa2, ID, text("a"), 0), {
    error: E.packetTruncated,
  }),
  bad("an UNSUBSCRIBE from an empty filter", packet(0xa2, ID, text("")), { error: E.topicEmpty }),
  bad("an UNSUBSCRIBE from a/#/b", packet(0xa2, ID, text("a/#/b")), { error: E.filterMultiLevel }),
  bad("an UNSUBSCRIBE from a+", packet(0xa2, ID, text("a+")), { error: E.filterSingleLevel }),
  bad("an UNSUBSCRIBE from an ill-formed filter [MQTT-3.10.3-1]", packet(0xa2, ID, [0, 1, 0xff]), {
    error: E.illFormedUtf8,
  }),
  ...[0xa0, 0xa1, 0xa3, 0xaf].map((first) =>
    bad(
      `an UNSUBSCRIBE with first byte ${first} [MQTT-3.10.1-1]`,
      packet(first, ID, text("a")),
      { error: E.unsubscribeFlags },
    )
  ),
  bad("a SUBACK without a return code", bytes(0x90, 2, 0, 10), {
    error: E.wrongLength,
    direction: "toClient",
  }),
  bad("a SUBACK with an empty body", bytes(0x90, 0), {
    error: E.wrongLength,
    direction: "toClient",
  }),
  bad("a SUBACK with Packet Identifier 0", bytes(0x90, 3, 0, 0, 0), {
    error: E.packetIdZero,
    direction: "toClient",
  }),
];
