import type { MqttClient } from "../client/mod.ts";
import { asTopicName, type Qos, type TopicName } from "../mqtt/mod.ts";
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
  valueOf,
} from "./_client_options.ts";
import type { Command, ParsedArguments } from "./_command.ts";
import { EXIT_CODE } from "./exit_code.ts";
import { type Payloads, payloadsOf } from "./_payloads.ts";
import { runSession } from "./_session.ts";

/** `relayq pub`: publishes, and says so only when the broker has acknowledged it. */
export const pubCommand: Command = {
  name: "pub",
  summary: "Publish messages to a broker",
  details:
    `Exactly one of --message, --hex, --file, --stdin, --lines and --null says what to publish.
It exits with 0 when the broker has acknowledged everything: PUBACK with QoS 1, PUBCOMP with QoS 2; with
QoS 0, of which nobody is told, when the broker has read to the end and closed the connection.`,
  words: [],
  options: [
    ...CLIENT_OPTIONS,
    { name: "topic", short: "t", value: "TOPIC", doc: "Topic Name to publish on" },
    { name: "message", short: "m", value: "TEXT", verbatim: true, doc: "The payload" },
    { name: "hex", value: "DIGITS", doc: "The payload in hexadecimal digits" },
    { name: "file", short: "f", value: "FILE", doc: "The payload is all of this file" },
    { name: "stdin", short: "s", doc: "The payload is all of standard input" },
    { name: "lines", short: "l", doc: "Each line of standard input is a message" },
    { name: "null", short: "n", doc: "No payload: with --retain it removes what is retained" },
    { name: "retain", short: "r", doc: "The broker keeps the message for new subscribers" },
    { name: "repeat", value: "N", doc: "Publish it so many times (1)" },
    { name: "repeat-delay", value: "SECONDS", doc: "Wait so long between two times (0)" },
    { name: "verbose", short: "v", doc: "Tell on standard error what was acknowledged" },
  ],
  run: pub,
};

interface Work {
  readonly topic: TopicName;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payloads: Payloads;
}

/** What has gone out so far. */
class Progress {
  sent = 0;
  acknowledged = 0;
  readonly #io: CliIo;
  readonly #sinceMs = performance.now();

  constructor(io: CliIo) {
    this.#io = io;
  }

  tell(): void {
    const ms = (performance.now() - this.#sinceMs).toFixed(0);
    this.#io.err(`${this.acknowledged} of ${this.sent} messages acknowledged in ${ms} ms\n`);
  }
}

async function pub(args: ParsedArguments, io: CliIo): Promise<number> {
  const work = await workOf(args, io);
  if (isProblem(work)) return refuseOptions("pub", work, io);
  const progress = new Progress(io);
  const code = await runSession(args, io, {
    name: "pub",
    clientIdentifier: clientIdentifierOf(args, "pub"),
    work: (client) => publishAll(client, { work, progress }),
    interrupted: () => EXIT_CODE.interrupted,
  });
  if (code !== EXIT_CODE.ok && progress.sent > 0 || args.flags.has("verbose")) progress.tell();
  return code;
}

async function workOf(args: ParsedArguments, io: CliIo): Promise<Work | OptionProblem> {
  const written = valueOf(args, "topic");
  if (written === undefined) return usage("--topic is missing");
  const topic = asTopicName(written);
  if (typeof topic !== "string") return usage(`--topic: ${topic.reason}`);
  const qos = qosOf(args);
  if (isProblem(qos)) return qos;
  const times = numberOf(args, "repeat", { preset: 1, max: 1_000_000_000 });
  if (isProblem(times)) return times;
  const delay = numberOf(args, "repeat-delay", { preset: 0, max: 86_400, isWhole: false });
  if (isProblem(delay)) return delay;
  const payloads = await payloadsOf(args, { io, times, delayMs: 1000 * delay });
  if (isProblem(payloads)) return payloads;
  return { topic, qos, retain: args.flags.has("retain"), payloads };
}

async function publishAll(
  client: MqttClient,
  { work: { topic, qos, retain, payloads }, progress }: { work: Work; progress: Progress },
): Promise<number> {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const last = new Set<Promise<void>>();
  for await (const payload of payloads) {
    await client.room();
    progress.sent++;
    const sent = client.publish({ topic, payload, qos, retain }).then(() => {
      progress.acknowledged++;
      last.delete(sent);
    }, failed.reject);
    last.add(sent);
    if (qos === 0) await Promise.race([sent, failed.promise]);
  }
  await Promise.race([Promise.all(last), failed.promise]);
  return EXIT_CODE.ok;
}
