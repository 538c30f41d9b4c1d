/** Code of the dashboard that needs no browser: events out of a stream, and figures for people. */
import { assertEquals } from "@std/assert";
import { EventParser } from "../../src/admin/dashboard/event_stream.js";
import { bytes, duration, integer, milliseconds, rate } from "../../src/admin/dashboard/format.js";
import { History } from "../../src/admin/dashboard/history.js";
import { REASONS } from "../../src/admin/dashboard/view_dead_letters.js";
import { DROP_REASONS } from "../../src/broker/mod.ts";
import { formsOf } from "../../src/admin/dashboard/payload.js";

interface Event {
  readonly name: string;
  readonly data: string;
}

/** Events of a text that comes in these pieces. */
function eventsOf(pieces: readonly string[]): Event[] {
  const events: Event[] = [];
  const parser = new EventParser((event: Event) => events.push(event));
  for (const piece of pieces) parser.push(piece);
  return events;
}

const STREAM =
  'event: hello\ndata: {}\n\n:\n\ndata: a\ndata:b\nid: 7\n\nevent: log\r\ndata: "ü"\r\n\r\n' +
  "event: nothing\n\ndata\n\n: beat\n\nevent: half\ndata: 1\n";
const EVENTS: readonly Event[] = [
  { name: "hello", data: "{}" },
  { name: "message", data: "a\nb" },
  { name: "log", data: '"ü"' },
  { name: "message", data: "" },
];

Deno.test("server-sent events are the same however their characters come", () => {
  assertEquals(eventsOf([STREAM]), EVENTS);
  assertEquals(eventsOf([...STREAM]), EVENTS);
  for (let cut = 1; cut < STREAM.length; cut++) {
    assertEquals(eventsOf([STREAM.slice(0, cut), STREAM.slice(cut)]), EVENTS);
  }
});

Deno.test("figures are written as people read them", () => {
  const cases: readonly (readonly [string, string])[] = [
    [rate(0), "0"],
    [rate(0.5), "0.5"],
    [rate(123.456), "123"],
    [rate(9_999), "9,999"],
    [rate(12_345), "12.3 k"],
    [rate(1_234_567_890), "1.23 G"],
    [rate(null), "–"],
    [bytes(1_023), "1,023 B"],
    [bytes(1_048_576), "1 MiB"],
    [bytes("18446744073709551615"), "16,800,000 TiB"],
    [integer("18446744073709551615"), "18,446,744,073,709,551,615"],
    [integer("no number"), "no number"],
    [integer(undefined), "–"],
    [milliseconds(0.0421), "42.1 µs"],
    [milliseconds(12.34), "12.3 ms"],
    [milliseconds(2_500), "2.5 s"],
    [duration(59.9), "59 s"],
    [duration(3_661), "1 h 1 min"],
    [duration(200_000), "2 d 7 h"],
  ];
  for (const [written, wanted] of cases) assertEquals(written, wanted);
});

Deno.test("a payload is shown as what it is: text, JSON, or bytes alone", () => {
  const encoder = new TextEncoder();
  function forms(payload: Uint8Array, length = payload.length): [string, string][] {
    return [...formsOf(payload, length)];
  }
  const hex = "000000  37 32 2e 34" + " ".repeat(38) + "72.4";
  assertEquals(forms(encoder.encode("72.4")), [["Text", "72.4"], ["Hex", hex]]);
  const json = formsOf(encoder.encode(' {"a":[1]}'), 10).get("JSON");
  assertEquals(json, '{\n  "a": [\n    1\n  ]\n}');
  assertEquals(forms(new Uint8Array([0xff, 0])).map(([name]) => name), ["Hex"]);
  assertEquals(forms(new Uint8Array(0))[0], ["Text", ""]);
  // Cut within a character, and no JSON any more.
  const [text, ...others] = forms(encoder.encode("[€").subarray(0, 3), 100);
  assertEquals(text, ["Text", "[\n… the first 3 B of it"]);
  assertEquals(others.map(([name]) => name), ["Hex"]);
});

Deno.test("the history of the plots forgets what is older than an hour, and shows where nothing is known", () => {
  const history = new History();
  const statistics = {
    counts: {},
    rates: { messages_in_per_s: 7 },
    latency: {},
    store: {},
    memory: {},
  };
  history.gap();
  for (let i = 0; i < 4_000; i++) {
    history.add(statistics as unknown as Parameters<History["add"]>[0]);
  }
  history.gap();
  const view = history.view(["messagesIn"], 60);
  assertEquals(view.map((column) => column.length), [3_600, 3_600]);
  assertEquals(view[1]?.slice(-2), [7, null]);
});

Deno.test("dead letters can be searched for every reason that there is", () => {
  assertEquals(REASONS, [...DROP_REASONS]);
});
