/** Metrics as the text that Prometheus reads, format 0.0.4. */
import type { Metric, Sample } from "./metric.ts";

/** The media type of the text. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes metrics; of those without a value what they mean. */
export function exposition(metrics: readonly Metric[]): string {
  let text = "";
  for (const metric of metrics) {
    const { name, help, type } = metric;
    text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
    text += `# TYPE ${name} ${type}\n`;
    text += metric.type === "histogram" ? histogramLines(metric) : sampleLines(metric);
  }
  return text;
}

function sampleLines({ name, samples }: { name: string; samples: readonly Sample[] }): string {
  let text = "";
  for (const { labels, value } of samples) text += `${name}${labelText(labels)} ${number(value)}\n`;
  return text;
}

function histogramLines(
  { name, histogram: { bounds, cumulative, sum } }: Extract<Metric, { type: "histogram" }>,
): string {
  let text = "";
  cumulative.forEach((count, index) => {
    text += `${name}_bucket{le="${number(bounds[index] ?? Infinity)}"} ${count}\n`;
  });
  return `${text}${name}_sum ${number(sum)}\n${name}_count ${cumulative.at(-1)}\n`;
}

function labelText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function number(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}
