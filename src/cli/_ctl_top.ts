/** `relayq ctl top`: what goes on in a broker, once a second. */
import type { ParsedArguments } from "./_command.ts";
import type { CliIo } from "./cli_io.ts";
import type { CtlClient } from "./_ctl_client.ts";
import type { CtlPage } from "./_ctl_pages.ts";
import { facts, table } from "./_table.ts";
import { printable } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

const INTERVAL_MS = 1_000;
const CLIENTS_SHOWN = 15;
const COLUMNS = ["client_id", "user", "address", "in_bytes_per_s", "out_bytes_per_s", "queued"];
/** Moves the cursor home and clears what is below. */
const HOME = "\u001b[H\u001b[J";

type Client = CtlPage["items"][number];
/** Bytes of a client so far, in and out. */
type Totals = ReadonlyMap<string, readonly [bytesIn: number, bytesOut: number]>;

/** Shows it until it is interrupted, or so many times as is said. */
export async function ctlTop(
  client: CtlClient,
  { values }: ParsedArguments,
  io: CliIo,
): Promise<number> {
  const [written] = values.get("count") ?? [];
  const count = Number(written ?? Infinity);
  if (!(count >= 1)) {
    io.err("Cannot run relayq ctl top: --count wants a number\n");
    return EXIT_CODE.usage;
  }
  let before: Totals = new Map();
  let beforeMs = 0;
  for (let round = 0; round < count; round++) {
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    const status = await client.ask({ method: "GET", target: "/api/v1/status" });
    const clients = await client.ask({ method: "GET", target: "/api/v1/clients?limit=1000" });
    for (const answer of [status, clients]) {
      if ("problem" in answer) {
        io.err(`Cannot reach the broker: ${answer.problem}\n`);
        return EXIT_CODE.config;
      }
      if (answer.status === 200) continue;
      const { detail = "" } = (answer.json ?? {}) as { detail?: string };
      io.err(`Cannot run relayq ctl top: ${answer.status} ${printable(detail)}\n`);
      return answer.status >= 500 ? EXIT_CODE.config : EXIT_CODE.denied;
    }
    const nowMs = performance.now();
    const { items } = (clients as { json: CtlPage }).json;
    const busiest = busiestOf(items, before, (nowMs - beforeMs) / 1000);
    const width = io.width?.() ?? null;
    const head = facts(scalarsOf((status as { json: Client }).json), width);
    const home = written === undefined ? HOME : "";
    io.out(`${home}${head}\n${table(busiest, COLUMNS, width)}`);
    before = new Map(items.map((one) => [
      String(one["client_id"]),
      [Number(one["bytes_in"]), Number(one["bytes_out"])],
    ]));
    beforeMs = nowMs;
  }
  return EXIT_CODE.ok;
}

/** The clients with most bytes since the last look, both ways. */
function busiestOf(items: readonly Client[], before: Totals, seconds: number): readonly Client[] {
  return items.map((one) => {
    const [bytesIn, bytesOut] = before.get(String(one["client_id"])) ?? [NaN, NaN];
    return {
      ...one,
      in_bytes_per_s: rate(Number(one["bytes_in"]) - bytesIn, seconds),
      out_bytes_per_s: rate(Number(one["bytes_out"]) - bytesOut, seconds),
      queued: one["queued_messages"],
    };
  }).sort((a, b) => sumOf(b) - sumOf(a)).slice(0, CLIENTS_SHOWN);
}

/** 0 for a client that was not there before, or is there anew. */
function rate(bytes: number, seconds: number): number {
  return bytes > 0 ? Math.round(bytes / seconds) : 0;
}

function sumOf({ in_bytes_per_s, out_bytes_per_s }: Readonly<Record<string, unknown>>): number {
  return Number(in_bytes_per_s) + Number(out_bytes_per_s);
}

/** What stands on one line each; and the counts and rates, which are objects of such. */
function scalarsOf(status: Client): Client {
  const inner = ["counts", "rates"].map((name) => status[name] ?? {});
  const own = Object.entries(status).filter(([, value]) => typeof value !== "object");
  return Object.assign(Object.fromEntries(own), ...inner);
}
