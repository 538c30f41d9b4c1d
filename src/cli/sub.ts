import type { MqttClient } from "../client/mod.ts";
import {
  asTopicFilter,
  type PublishPacket,
  type Qos,
  SUBACK_FAILURE,
  type TopicFilter,
} from "../mqtt/mod.ts";
import type { CliIo } from "./cli_io.ts";
import {
  CLIENT_OPTIONS,
  clientIdentifierOf,
  isProblem,
  numberOf,
  type OptionProblem,
  qosOf,
  refuseOptions,
  usage,
} from "./_client_options.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { printable } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { messageBytes, type MessageFormat } from "./_message_text.ts";
import { runSession } from "./_session.ts";

/** How long the last handshakes of QoS 2 may take behind the last message. */
const SETTLE_MS = 2_000;

/** `relayq sub`: subscribes and writes what comes. */
export const subCommand: Command = {
  name: "sub",
  summary: "Subscribe at a broker and write the messages that come",
  details:
    `Each message is written before it is acknowledged. What goes into a file or a pipe are the bytes as
they came, and a line end; at a terminal signs that could act on it are replaced.
It ends with 0 after --count messages, or when it is interrupted and had none to wait for, and with 9
when --time is over before.`,
  words: [],
  options: [
    ...CLIENT_OPTIONS,
    {
      name: "topic",
      short: "t",
      value: "FILTER",
      repeatable: true,
      doc: "Topic Filter to subscribe to; repeatable",
    },
    { name: "count", short: "C", value: "N", doc: "End after so many messages" },
    { name: "time", short: "W", value: "SECONDS", doc: "End after this time" },
    { name: "verbose", short: "v", doc: "Write the topic in front of the payload" },
    { name: "json", doc: "One JSON object on each line, with topic, QoS, flags and time" },
    { name: "hex", doc: "Payloads in hexadecimal digits" },
    { name: "sparkplug", doc: "Payloads of Sparkplug B decoded, as JSON" },
    { name: "no-retained", short: "R", doc: "Pass over retained messages" },
    { name: "keep-session", short: "c", doc: "Clean Session 0: needs --id" },
  ],
  run: sub,
};

interface Wanted {
  readonly filters: readonly TopicFilter[];
  readonly qos: Qos;
  /** Infinity for no end. */
  readonly count: number;
  readonly timeMs: number;
  readonly passesRetained: boolean;
  readonly format: MessageFormat;
}

async function sub(args: ParsedArguments, io: CliIo): Promise<number> {
  const wanted = await wantedOf(args, io);
  if (isProblem(wanted)) return refuseOptions("sub", wanted, io);
  const writer = new Writer(wanted, io);
  return await runSession(args, io, {
    name: "sub",
    clientIdentifier: clientIdentifierOf(args, "sub"),
    cleanSession: !args.flags.has("keep-session"),
    received: (message) => writer.received(message),
    work: (client) => listen(client, { wanted, writer, io }),
    interrupted: () => wanted.count === Infinity ? EXIT_CODE.ok : EXIT_CODE.interrupted,
  });
}

async function wantedOf(args: ParsedArguments, io: CliIo): Promise<Wanted | OptionProblem> {
  const { flags, values } = args;
  const filters: TopicFilter[] = [];
  for (const written of values.get("topic") ?? []) {
    const filter = asTopicFilter(written);
    if (typeof filter !== "string") return usage(`--topic: ${filter.reason}`);
    filters.push(filter);
  }
  if (filters.length === 0) return usage("--topic is missing");
  const qos = qosOf(args);
  if (isProblem(qos)) return qos;
  const count = numberOf(args, "count", { preset: Infinity, max: Number.MAX_SAFE_INTEGER });
  if (isProblem(count)) return count;
  const seconds = numberOf(args, "time", { preset: Infinity, max: 2_000_000, isWhole: false });
  if (isProblem(seconds)) return seconds;
  if (flags.has("keep-session") && !values.get("id")?.length) {
    return usage("--keep-session needs --id"); // [MQTT-3.1.3-8]
  }
  let sparkplug: MessageFormat["sparkplug"] = null;
  if (flags.has("sparkplug")) {
    const { SparkplugText } = await import("./_sparkplug_text.ts");
    sparkplug = await SparkplugText.load();
  }
  const [verbose, json, hex] = [flags.has("verbose"), flags.has("json"), flags.has("hex")];
  const forTerminal = io.isTerminal === true;
  const format = { verbose, json, hex, sparkplug, forTerminal };
  const passesRetained = flags.has("no-retained");
  return { filters, qos, count, timeMs: 1000 * seconds, passesRetained, format };
}

/** Writes messages until there have been enough. */
class Writer {
  readonly #wanted: Wanted;
  readonly #io: CliIo;
  readonly #enough = Promise.withResolvers<void>();
  #count = 0;
  #isClosed = false;

  constructor(wanted: Wanted, io: CliIo) {
    this.#wanted = wanted;
    this.#io = io;
  }

  /** Resolves when there have been enough messages, or nobody reads them any more. */
  get enough(): Promise<void> {
    return this.#enough.promise;
  }

  /** Gives false for what is not taken: the broker keeps it for the session, if there is one. */
  received(message: PublishPacket): boolean {
    const { count, passesRetained, format } = this.#wanted;
    if (this.#isClosed || this.#count === count) return false;
    if (message.retain && passesRetained) return true;
    if (!this.#write(messageBytes(message, format))) {
      this.#isClosed = true;
      this.#enough.resolve();
      return false;
    }
    if (++this.#count === count) this.#enough.resolve();
    return true;
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#io.write !== undefined) return this.#io.write(bytes);
    this.#io.out(new TextDecoder().decode(bytes));
    return true;
  }
}

async function listen(
  client: MqttClient,
  { wanted, writer, io }: { wanted: Wanted; writer: Writer; io: CliIo },
): Promise<number> {
  const { filters, qos, timeMs, count } = wanted;
  const codes = await client.subscribe(filters, qos);
  const refused = filters.filter((_, i) => codes[i] === SUBACK_FAILURE);
  for (const filter of refused) io.err(`Subscription refused: ${printable(filter)}\n`);
  if (refused.length === filters.length) return EXIT_CODE.denied;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<"over">((resolve) => {
    if (timeMs !== Infinity) timer = setTimeout(() => resolve("over"), timeMs);
  });
  const end = await Promise.race([writer.enough, over]);
  clearTimeout(timer);
  await settled(client);
  return end === "over" && count !== Infinity ? EXIT_CODE.silence : EXIT_CODE.ok;
}

/** A QoS 2 message is not the client's before PUBREL: left open, it would come again. */
async function settled(client: MqttClient): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS;
  while (client.unsettled > 0 && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
