import { assertEquals, assertThrows } from "@std/assert";
import { Histogram } from "../../src/broker/mod.ts";

Deno.test("a histogram counts a value at the bound it does not exceed, and what is above all at the end", () => {
  const histogram = new Histogram([0.5, 1, 8]);
  for (const value of [0, 0.5, 0.75, 1, 1.5, 9, 100]) histogram.observe(value);
  assertEquals(histogram.cumulative, [2, 4, 5, 7]);
  assertEquals(histogram.sum, 112.75);
});

Deno.test("a histogram takes a value for many things at once", () => {
  const histogram = new Histogram([1, 2]);
  histogram.observe(1.5, 1000);
  histogram.observe(3, 2);
  assertEquals(histogram.cumulative, [0, 1000, 1002]);
  assertEquals(histogram.sum, 1506);
});

Deno.test("bounds of a histogram rise", () => {
  assertThrows(() => new Histogram([1, 1]), RangeError);
  assertThrows(() => new Histogram([1, NaN]), RangeError);
});
