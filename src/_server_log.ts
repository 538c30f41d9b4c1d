/** The log of a running broker: what it writes, where to, and what programs find in a line. */
import { type BrokerEvent, type Connection, describeEvent } from "./broker/mod.ts";
import { type LogConfig, parseLogLevels } from "./config/mod.ts";
import { formatIpAddress, type Refusal } from "./security/mod.ts";
import {
  type ByteSink,
  formatLogLine,
  formatLostLines,
  isJournal,
  type LineFacts,
  type Log,
  LogFile,
  type LogOptions,
  LogQueue,
  LogStream,
  type LogTarget,
} from "./system/mod.ts";

/** Bytes of lines that may wait for a slow reader or disk. */
const WAITING_BYTES_MAX = 1_048_576;
/** How long the end of the broker waits for them. */
const END_MS = 1_000;

/** Where a broker may write besides its files. */
export interface LogIo {
  /** Writes at once; for lines where there is no `log`. */
  err(text: string): void;
  /** Standard error that nobody has to wait for. */
  readonly log?: ByteSink;
}

/** What the configuration says about lines. */
export function logOptions(config: LogConfig): LogOptions {
  const { level, format, journald, file, repeatsPerSecondMax } = config;
  const levels = parseLogLevels(config.levels);
  if ("problem" in levels) throw new Error(`Cannot read log.levels: ${levels.problem}`);
  const priorities = file === "" && (journald === "on" || (journald === "auto" && isJournal()));
  return { level, levels, format, priorities, repeatsPerSecondMax };
}

/** Where the lines of the log go. */
export class LogOutlet {
  /** Null where lines are written at once. */
  readonly #queue: LogQueue | null;
  readonly #err: (text: string) => void;

  private constructor(queue: LogQueue | null, err: (text: string) => void) {
    this.#queue = queue;
    this.#err = err;
  }

  /** Opens the file that the configuration names, or says why that is not possible. */
  static async open(
    config: LogConfig,
    io: LogIo,
  ): Promise<LogOutlet | { problem: string }> {
    const { file, fileBytesMax, filesMax } = config;
    const queue = io.log === undefined ? null : makeQueue(new LogStream(io.log), config);
    const stderr = new LogOutlet(queue, io.err.bind(io));
    if (file === "") return stderr;
    const target = await LogFile.open(file, { fileBytesMax, filesMax });
    if ("problem" in target) return { problem: `log file ${file}: ${target.problem}` };
    const troubled = (problem: string | null) => stderr.add(troubleLine(config, problem));
    return new LogOutlet(makeQueue(target, config, { troubled }), io.err.bind(io));
  }

  /** Takes whole lines; nobody waits until they are written. */
  add(lines: string): void {
    if (this.#queue === null) this.#err(lines);
    else this.#queue.add(lines);
  }

  /** Opens the file anew. */
  reopen(): void {
    this.#queue?.reopen();
  }

  /** Resolves when all is written, or not in time. */
  async end(): Promise<void> {
    await this.#queue?.end(END_MS);
  }
}

/** Writes what happened in the core. */
export function logEvent(log: Log, event: BrokerEvent): void {
  const { severity, text } = describeEvent(event);
  if (!log.enabled(severity, "broker")) return;
  const { kind } = event;
  const cause = kind === "closed" ? ` ${event.cause}` : "";
  const fields = { event: kind, ...connectionFields(event.connection), ...eventFields(event) };
  log.line(severity, text, { room: "broker", kind: `${kind}${cause}`, fields });
}

/** What programs find in a line about a refusal; each is written, or counted by whoever writes it. */
export function refusalFacts(refusal: Refusal | null): LineFacts {
  if (refusal === null) return { room: "security", kind: null };
  const { address, reason, listener, clientIdentifier: client = null, userName: user = null } =
    refusal;
  const who = { client, user, address: formatIpAddress(address), listener };
  return { room: "security", kind: null, fields: { event: "refused", ...who, reason } };
}

/** Who a connection belongs to. */
export function connectionFields({ clientIdentifier, userName, origin }: Connection) {
  const { remoteAddress: address, listener } = origin;
  return { client: clientIdentifier, user: userName, address, listener };
}

function eventFields(event: BrokerEvent): Readonly<Record<string, string | boolean>> {
  switch (event.kind) {
    case "connected":
      return { resumed: event.resumed };
    case "closed":
      return { cause: event.cause };
    case "takenOver":
      return { from: event.from.origin.remoteAddress };
    case "protocolError":
      return { tag: event.error.tag };
    case "sessionRefused":
      return { reason: event.reason };
    default:
      return {};
  }
}

function makeQueue(
  target: LogTarget,
  config: LogConfig,
  { troubled }: { troubled?: (problem: string | null) => void } = {},
): LogQueue {
  const style = logOptions(config);
  return new LogQueue(target, {
    waitingBytesMax: WAITING_BYTES_MAX,
    lostLine: (lost, reason) => formatLostLines({ lost, reason, wallMs: Date.now() }, style),
    ...troubled === undefined ? {} : { troubled },
  });
}

/** For standard error: the file cannot say it itself. */
function troubleLine(config: LogConfig, problem: string | null): string {
  const text = problem === null
    ? `log file ${config.file} recovered: lines are written again`
    : `log file ${config.file} in trouble: lines are lost: ${problem}`;
  const level = problem === null ? "warn" : "error";
  const style = logOptions({ ...config, file: "" });
  return formatLogLine({ wallMs: Date.now(), level, room: "system", text, fields: {} }, style);
}
