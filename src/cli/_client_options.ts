/** Options of the commands that speak to a broker, as near to those of mosquitto_pub as makes sense. */
import type { ClientErrorKind, StreamTarget, TlsTrust } from "../client/mod.ts";
import { asTopicName, type Qos, type Will } from "../mqtt/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { OptionSchema, ParsedArguments } from "./_command.ts";
import { readText } from "./_files.ts";
import { quote } from "./_format.ts";
import { readPassword } from "./_password_input.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** Where the broker is, and how it is spoken to. */
export const ADDRESS_OPTIONS: readonly OptionSchema[] = [
  {
    name: "host",
    short: "h",
    value: "HOST",
    doc: "Host name or address of the broker (127.0.0.1)",
  },
  { name: "port", short: "p", value: "PORT", doc: "Port (1883; 8883 with TLS)" },
  { name: "tls", doc: "TLS; the server's certificate must be from a public authority" },
  { name: "cafile", value: "FILE", doc: "TLS; authorities (PEM) that may vouch for the server" },
  { name: "cert", value: "FILE", doc: "TLS; this client's certificate (PEM), with --key" },
  { name: "key", value: "FILE", doc: "The private key of --cert (PEM)" },
  { name: "insecure", doc: "TLS; take any certificate: whoever sits between can read all of it" },
  { name: "websocket", doc: "MQTT over WebSocket, on the path /mqtt" },
  { name: "websocket-path", value: "PATH", doc: "MQTT over WebSocket on this path" },
  { name: "user", short: "u", value: "NAME", doc: "User name" },
  { name: "password-file", value: "FILE", doc: "The password is the first line of this file" },
  { name: "password-stdin", doc: "The password is all of standard input" },
  { name: "ask-password", doc: "Ask for the password at the terminal" },
  { name: "wait", value: "SECONDS", doc: "How long the broker may take for an answer (10)" },
];

/** What a client says of itself. */
export const CLIENT_OPTIONS: readonly OptionSchema[] = [
  ...ADDRESS_OPTIONS,
  { name: "id", short: "i", value: "ID", doc: "Client Identifier (a new one each time)" },
  { name: "keepalive", short: "k", value: "SECONDS", doc: "Keep Alive (60); 0 turns it off" },
  { name: "qos", short: "q", value: "QOS", doc: "Quality of Service: 0, 1 or 2 (0)" },
  { name: "will-topic", value: "TOPIC", doc: "Topic of a Will" },
  { name: "will-payload", value: "TEXT", verbatim: true, doc: "Its payload (empty)" },
  { name: "will-qos", value: "QOS", doc: "Its Quality of Service (0)" },
  { name: "will-retain", doc: "It is retained" },
];

/** Exit code for what ended a client. */
export const EXIT_CODE_OF: Readonly<Record<ClientErrorKind, number>> = {
  network: EXIT_CODE.connection,
  protocol: EXIT_CODE.connection,
  refused: EXIT_CODE.denied,
  silence: EXIT_CODE.silence,
};

/** Where a client goes, and as whom. */
export interface ClientTarget {
  readonly stream: StreamTarget;
  readonly userName: string | null;
  readonly password: Uint8Array | null;
  readonly timeoutMs: number;
}

/** Why an option cannot be used, and the exit code for it. */
export interface OptionProblem {
  readonly problem: string;
  readonly code: number;
}

/** The options about the broker; files are read, and the password is asked for. */
export async function targetOf(
  args: ParsedArguments,
  io: CliIo,
): Promise<ClientTarget | OptionProblem> {
  const { flags } = args;
  const tls = await tlsOf(args);
  if (tls !== undefined && "problem" in tls) return tls;
  const port = numberOf(args, "port", { preset: tls === undefined ? 1883 : 8883, max: 65_535 });
  const seconds = numberOf(args, "wait", { preset: 10, max: 86_400, isWhole: false });
  for (const number of [port, seconds]) if (typeof number === "object") return number;
  const credentials = await credentialsOf(args, io);
  if ("problem" in credentials) return credentials;
  if (flags.has("insecure")) {
    io.err("WARNING: --insecure: nobody has checked who the server is\n");
  }
  const path = valueOf(args, "websocket-path") ?? (flags.has("websocket") ? "/mqtt" : undefined);
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path)) {
    return usage(`--websocket-path: ${quote(path)} is no path`);
  }
  return {
    stream: {
      host: valueOf(args, "host") ?? "127.0.0.1",
      port: port as number,
      ...(tls !== undefined && { tls }),
      ...(path !== undefined && { websocketPath: path }),
    },
    ...credentials,
    timeoutMs: 1000 * (seconds as number),
  };
}

/** The Will, null without one. */
export function willOf(args: ParsedArguments): Will | null | OptionProblem {
  const written = valueOf(args, "will-topic");
  if (written === undefined) {
    const alone = ["will-payload", "will-qos"].find((name) => valueOf(args, name) !== undefined);
    const lost = alone ?? (args.flags.has("will-retain") ? "will-retain" : undefined);
    return lost === undefined ? null : usage(`--${lost} needs --will-topic`);
  }
  const topic = asTopicName(written);
  if (typeof topic !== "string") return usage(`--will-topic: ${topic.reason}`);
  const qos = qosOf(args, "will-qos");
  if (typeof qos === "object") return qos;
  const payload = new TextEncoder().encode(valueOf(args, "will-payload") ?? "");
  if (payload.length > 65_535) return usage("--will-payload: at most 65535 bytes");
  return { topic, payload, qos, retain: args.flags.has("will-retain") };
}

/** A Quality of Service; 0 if it is not given. */
export function qosOf(args: ParsedArguments, name = "qos"): Qos | OptionProblem {
  return numberOf(args, name, { preset: 0, min: 0, max: 2 }) as Qos | OptionProblem;
}

/** A number from `min` (1) to `max`; `preset` if it is not given. */
export function numberOf(
  args: ParsedArguments,
  name: string,
  { preset, min = 1, max, isWhole = true }: {
    preset: number;
    min?: number;
    max: number;
    isWhole?: boolean;
  },
): number | OptionProblem {
  const written = valueOf(args, name);
  if (written === undefined) return preset;
  const number = Number(written);
  const isRight = isWhole ? Number.isInteger(number) && number >= min : number > 0;
  if (isRight && number <= max && /^[0-9]/.test(written)) return number;
  const kind = isWhole ? `a whole number from ${min} to ${max}` : `a number up to ${max}`;
  return usage(`--${name}: ${quote(written)} is not ${kind}`);
}

/** The value of an option that may be given once. */
export function valueOf({ values }: ParsedArguments, name: string): string | undefined {
  return values.get(name)?.[0];
}

/** A mistake on the command line. */
export function usage(problem: string): OptionProblem {
  return { problem, code: EXIT_CODE.usage };
}

/** Tells what is wrong; gives the exit code. */
export function refuseOptions(
  name: string,
  { problem, code }: OptionProblem,
  io: CliIo,
): number {
  io.err(`Cannot run relayq ${name}: ${problem}\n`);
  if (code === EXIT_CODE.usage) io.err(`Try "relayq ${name} --help".\n`);
  return code;
}

/** A Client Identifier that is given, or one that nobody else has. */
export function clientIdentifierOf(args: ParsedArguments, name: string): string {
  const random = crypto.getRandomValues(new Uint8Array(4)).toHex();
  return valueOf(args, "id") ?? `relayq-${name}-${random}`; // At most 23 bytes: [MQTT-3.1.3-5].
}

/** Whether a value is a problem and not what was asked for. */
export function isProblem(value: unknown): value is OptionProblem {
  return typeof value === "object" && value !== null && "problem" in value && "code" in value;
}

async function tlsOf(args: ParsedArguments): Promise<TlsTrust | undefined | OptionProblem> {
  const paths = { authority: "cafile", certificate: "cert", key: "key" } as const;
  const texts: Partial<Record<keyof typeof paths, string>> = {};
  for (const [part, option] of Object.entries(paths)) {
    const path = valueOf(args, option);
    if (path === undefined) continue;
    const file = await readText(path, 4_194_304);
    if (!file.ok) {
      return { problem: `--${option}: ${path}: ${file.problem}`, code: EXIT_CODE.config };
    }
    texts[part as keyof typeof paths] = file.text;
  }
  const { authority, certificate, key } = texts;
  if ((certificate === undefined) !== (key === undefined)) {
    return usage("--cert and --key go together");
  }
  const insecure = args.flags.has("insecure");
  const isWanted = args.flags.has("tls") || insecure || Object.keys(texts).length > 0;
  if (!isWanted) return undefined;
  return {
    insecure,
    ...(authority !== undefined && { authority }),
    ...(certificate !== undefined && key !== undefined && { own: { certificate, key } }),
  };
}

async function credentialsOf(
  args: ParsedArguments,
  io: CliIo,
): Promise<{ userName: string | null; password: Uint8Array | null } | OptionProblem> {
  const userName = valueOf(args, "user") ?? null;
  const path = valueOf(args, "password-file");
  const [piped, asked] = [args.flags.has("password-stdin"), args.flags.has("ask-password")];
  const ways = Number(path !== undefined) + Number(piped) + Number(asked);
  if (ways > 1) return usage("the password can come from one place only");
  if (ways === 0) return { userName, password: null };
  if (userName === null) return usage("a password needs --user"); // [MQTT-3.1.2-22]
  if (path !== undefined) {
    const file = await readText(path, 65_536);
    if (!file.ok) {
      return { problem: `--password-file: ${path}: ${file.problem}`, code: EXIT_CODE.config };
    }
    const [line = ""] = file.text.split(/\r?\n/, 1);
    return { userName, password: new TextEncoder().encode(line) };
  }
  const read = await readPassword(io, { whole: piped, isNew: false, of: quote(userName) });
  if ("problem" in read) return { problem: read.problem, code: EXIT_CODE.usage };
  return { userName, password: read.password };
}
