import { assertEquals } from "@std/assert";
import { exposition } from "../../src/admin/exposition.ts";
import { Histogram } from "../../src/broker/mod.ts";

Deno.test("counters and gauges have help, type and labels, in which nothing can break out", () => {
  const samples = [
    { labels: {}, value: 1.5 },
    { labels: { a: 'q"b\\s\nn', b: "x" }, value: Infinity },
    { labels: { a: "" }, value: NaN },
  ];
  assertEquals(
    exposition([{ name: "m", help: "one\\two\nthree", type: "gauge", samples }]),
    "# HELP m one\\\\two\\nthree\n# TYPE m gauge\n" +
      'm 1.5\nm{a="q\\"b\\\\s\\nn",b="x"} +Inf\nm{a=""} NaN\n',
  );
});

Deno.test("a histogram tells what is up to each bound, the sum and the count", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.5, 0.5, 7]) histogram.observe(value);
  assertEquals(
    exposition([{ name: "h", help: "How.", type: "histogram", histogram }]),
    '# HELP h How.\n# TYPE h histogram\nh_bucket{le="0.1"} 1\nh_bucket{le="1"} 3\n' +
      'h_bucket{le="+Inf"} 4\nh_sum 8.05\nh_count 4\n',
  );
});

Deno.test("of a metric without a value stands what it means", () => {
  assertEquals(
    exposition([{ name: "m", help: "M.", type: "counter", samples: [] }]),
    "# HELP m M.\n# TYPE m counter\n",
  );
});
