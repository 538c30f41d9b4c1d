/** The referee in a running broker: its switches, its clock, and where what it finds goes. */
import type { ConnectionAudit } from "./_server_audit_connections.ts";
import { SparkplugAlarms } from "./_server_sparkplug_alarms.ts";
import { replaceFile } from "./_server_sparkplug_files.ts";
import { SparkplugJson } from "./_server_sparkplug_json.ts";
import { BreachLines } from "./_server_sparkplug_lines.ts";
import { SparkplugTopics } from "./_server_sparkplug_topics.ts";
import { observingPolicy, SparkplugValues } from "./_server_sparkplug_values.ts";
import { WitnessedReferee } from "./_server_sparkplug_witness.ts";
import type { Turns } from "./_server_turns.ts";
import type { ApiViolation, SparkplugFigures } from "./admin/mod.ts";
import type { ClientFacts, Instant, Journal, SparkplugPolicy, StoredState } from "./broker/mod.ts";
import type { Config, SparkplugConfig } from "./config/mod.ts";
import { encodeUtf8, type TopicName } from "./mqtt/mod.ts";
import {
  type Breach,
  CERTIFICATE_PREFIX,
  type Inflate,
  type Json,
  loadJudging,
  type NodeReport,
  parseTopic,
  type PayloadCodec,
  type Referee,
  type RuleName,
  SparkplugAwareness,
  type SparkplugJudging,
} from "./sparkplug/mod.ts";
import { gunzipSync, inflateSync } from "node:zlib";

type Judging = Awaited<ReturnType<typeof loadJudging>>;

const ALARM_TOPIC = "$SYS/broker/sparkplug/alarm";
/** Violations that are kept in words. */
const VIOLATIONS_MAX = 1000;
const SECOND_MS = 1000;

/** What judging needs of the server. */
interface Surroundings {
  readonly turns: Turns;
  readonly audit: ConnectionAudit;
  /** Where it is written what has to outlive the broker. */
  readonly journal: Journal;
}

/** What is done about Sparkplug. */
export interface SparkplugSide {
  /** Null where nothing is. */
  readonly policy: SparkplugPolicy | null;
  /** Null where nobody is judged. */
  readonly desk: SparkplugDesk | null;
  /** Null where last values are not kept. */
  readonly values: SparkplugValues | null;
}

/** What the configuration asks for; the room of the rules is loaded only for the modes that judge. */
export async function openSparkplug(config: Config): Promise<SparkplugSide | { problem: string }> {
  const { sparkplug } = config;
  const { mode, lastValues } = sparkplug;
  if (mode === "off") return { policy: null, desk: null, values: null };
  if (mode === "aware" && !lastValues) {
    return { policy: new SparkplugAwareness(sparkplug), desk: null, values: null };
  }
  const room = await loadJudging();
  const codec = await room.PayloadCodec.load(room.PAYLOAD_LIMITS, () => performance.now());
  const values = lastValues
    ? new SparkplugValues(room, { codec, config: sparkplug, inflate })
    : null;
  if (mode === "aware") {
    return { policy: observingPolicy(room, sparkplug, values!), desk: null, values };
  }
  const desk = SparkplugDesk.open(config, { room, codec, values });
  return "problem" in desk ? desk : { policy: desk.policy, desk, values };
}

/** The room of the rules, and what the referee is not alone with. */
interface DeskParts {
  readonly room: Judging;
  readonly codec: PayloadCodec;
  readonly values: SparkplugValues | null;
}

/** Runs the referee. */
export class SparkplugDesk {
  readonly policy: SparkplugPolicy;
  readonly #config: SparkplugConfig;
  readonly #room: Judging;
  readonly #codec: PayloadCodec;
  readonly #judging: SparkplugJudging<ClientFacts>;
  readonly #witness: WitnessedReferee;
  readonly #json: SparkplugJson | null;
  readonly #topics: SparkplugTopics;
  #surroundings: Surroundings | null = null;
  #journal: Journal | null = null;
  #lines: BreachLines | null = null;
  readonly #alarms: SparkplugAlarms;
  #tickedMs = -Infinity;
  #capturedMs = 0;
  /** The file that is being written, if one is. */
  #writing: Promise<void> = Promise.resolve();
  #writes = 0;
  #trouble = "";

  private constructor(
    { sparkplug }: Config,
    parts: DeskParts & {
      readonly judging: SparkplugJudging<ClientFacts>;
      readonly json: SparkplugJson | null;
    },
  ) {
    const { room, judging, json } = parts;
    this.#config = sparkplug;
    this.#room = room;
    this.#codec = parts.codec;
    this.#judging = judging;
    this.#json = json;
    this.#topics = new SparkplugTopics(sparkplug);
    this.#alarms = new SparkplugAlarms(room.RULES, sparkplug.alarmUrl);
    this.#witness = new WitnessedReferee(judging.referee, {
      statements: () => this.#statements(),
      passing: json,
      values: parts.values,
      seen: (edgeNode, bdSeq) => this.#journal?.bdSeqSeen(edgeNode, bdSeq),
    });
    this.policy = {
      retainLive: judging.retainLive,
      stampNodeDeath: judging.stampNodeDeath,
      classify: (topic) => judging.classify(topic),
      closesForgers: sparkplug.mode === "strict",
      referee: this.#witness,
    };
  }

  /** With what the configuration says of the rules. */
  static open(config: Config, parts: DeskParts): SparkplugDesk | { problem: string } {
    const { sparkplug } = config;
    const { room, codec } = parts;
    const overrides = room.parseOverrides(sparkplug.overrides);
    if ("problem" in overrides) return { problem: `sparkplug.overrides: ${overrides.problem}` };
    const judging = new room.SparkplugJudging<ClientFacts>(codec, {
      ...sparkplug,
      mode: sparkplug.mode === "strict" ? "strict" : "monitor",
      overrides,
      onDuplicate: sparkplug.onDuplicate === "take_over" ? "takeOver" : "rejectNew",
      violationsMax: VIOLATIONS_MAX,
      inflate,
    });
    const { referee } = judging.referee;
    const json = sparkplug.json ? new SparkplugJson(room, { codec, referee }) : null;
    return new SparkplugDesk(config, { ...parts, judging, json });
  }

  /** Makes other overrides ready, or says what is wrong; who calls what it gives puts them in place. */
  prepareOverrides(text: string): (() => void) | { problem: string } {
    const overrides = this.#room.parseOverrides(text);
    if ("problem" in overrides) return { problem: `sparkplug.overrides: ${overrides.problem}` };
    return () => this.#judging.referee.referee.overrides = overrides;
  }

  /** The broker runs from now on; `state` is what it found at its start. */
  begin(surroundings: Surroundings, state: StoredState): void {
    const { turns } = surroundings;
    this.#surroundings = surroundings;
    this.#journal = surroundings.journal;
    this.#lines = new BreachLines(
      this.#room.RULES,
      (level, text) => turns.log.line(level, text, { room: "sparkplug" }),
    );
    this.#json?.begin(turns);
    const { wallMs } = turns.instant();
    this.#judging.referee.referee.restore(state.edgeNodes);
    for (const { topic, message } of state.retained) {
      const birth = topic.startsWith(CERTIFICATE_PREFIX)
        ? parseTopic(topic.slice(CERTIFICATE_PREFIX.length))
        : null;
      if (birth?.kind === "topic") this.referee.remember(birth);
      this.#judging.referee.announce(topic, message.payload, wallMs);
    }
  }

  /** Time passed. */
  tick(instant: Instant): void {
    const surroundings = this.#surroundings;
    if (surroundings === null) return;
    this.#witness.tell(surroundings.audit);
    const { referee } = this.#judging.referee;
    const { kept, others } = referee.violations.takeFresh();
    this.#lines!.round(kept, others, instant.nowMs);
    this.#alarm(kept, instant);
    if (instant.nowMs - this.#tickedMs < SECOND_MS) return;
    this.#tickedMs = instant.nowMs;
    this.#json?.refill();
    const { turns } = surroundings;
    for (const { topic, payload, cause } of this.#judging.referee.tick(instant.wallMs)) {
      turns.log.line("info", `sparkplug: rebirth request on ${topic}: ${cause}`, {
        room: "sparkplug",
      });
      turns.broker.publish(topic as TopicName, { payload, qos: 0, retain: false }, instant);
    }
    this.#writeFiles(instant.nowMs);
  }

  /** The referee, to be read. */
  get referee(): Referee {
    return this.#judging.referee.referee;
  }

  /** The statements of rules. */
  statementsOf(rules: readonly RuleName[]): string[] {
    return rules.flatMap((rule) => this.#room.RULES[rule].ids);
  }

  /** Statements that a subject has broken, in the order of their identifiers. */
  violationsOf(subject: string): ApiViolation[] {
    const rows = new Map<string, ApiViolation>();
    for (const { rule, count, lastMs } of this.referee.violations.rulesOf(subject)) {
      const { ids, severity, says: text } = this.#room.RULES[rule];
      for (const id of ids) {
        const known = rows.get(id)?.count ?? 0;
        const last_at = new Date(lastMs).toISOString();
        rows.set(id, { subject, rule: id, severity, text, count: known + count, last_at });
      }
    }
    return [...rows.values()].sort((a, b) => a.rule < b.rule ? -1 : 1);
  }

  /** Whether an Edge Node conforms; null if it is not known. */
  reportOn(name: { readonly group: string; readonly name: string }): NodeReport | null {
    return this.#room.reportOn(this.referee, name);
  }

  /** A message as JSON, with names for aliases; null where it cannot be read. */
  decode(topicName: string, payload: Uint8Array): Json {
    const topic = parseTopic(topicName);
    if (topic?.kind !== "topic") return null;
    if (topic.type === "STATE") return new TextDecoder().decode(payload);
    const decoded = this.#codec.decode(payload);
    if ("problem" in decoded) return null;
    return this.#room.payloadJson(
      decoded.payload,
      (metric) => this.referee.bornMetric(topic, metric),
    );
  }

  /** What the referee has counted. */
  get figures(): SparkplugFigures {
    const { referee } = this.#judging.referee;
    return {
      census: referee.census(),
      violations: referee.violations.totals(),
      rebirthsByCause: referee.rebirthsByCause,
      decoded: this.#codec.decoded,
      decodingS: this.#codec.decodingMs / 1000,
      recordedBytes: referee.recorder?.bytes ?? 0,
      unrecorded: referee.recorder?.unrecorded ?? 0,
      jsonLeft: this.#json?.left ?? 0,
      alarms: this.#alarms.raised,
      alarmsUntold: this.#alarms.untold,
    };
  }

  /** Publishes what has changed under `$SYS/broker/sparkplug/`. */
  publishTopics(instant: Instant): void {
    const { broker } = this.#surroundings!.turns;
    const { referee } = this.#judging.referee;
    const more: Record<string, number> = this.#json === null
      ? {}
      : { "json/left": this.#json.left };
    for (const [topic, value] of this.#topics.round(referee, more)) {
      const content = { payload: encodeUtf8(value), qos: 0, retain: true } as const;
      broker.publish(topic as TopicName, content, instant);
    }
  }

  /** Writes what has to outlive the broker; every client is gone. */
  async stop(): Promise<void> {
    if (this.#surroundings === null) return;
    const { turns, audit } = this.#surroundings;
    const { kept, others } = this.#judging.referee.referee.violations.takeFresh();
    this.#lines!.round(kept, others, turns.instant().nowMs);
    this.#witness.tell(audit);
    this.#alarms.stop();
    await this.#writing;
    this.#writeFiles(Infinity);
    await this.#writing;
  }

  /** Tells those who are subscribed, and the web server, what is an alarm. */
  #alarm(breaches: readonly Breach[], instant: Instant): void {
    const { broker, log } = this.#surroundings!.turns;
    const alarms = this.#alarms.round(
      breaches,
      (reason) => log.line("error", `Cannot send alarm: ${reason}`, { room: "sparkplug" }),
    );
    for (const alarm of alarms) {
      const content = { payload: encodeUtf8(alarm), qos: 0, retain: false } as const;
      broker.publish(ALARM_TOPIC as TopicName, content, instant);
    }
  }

  #statements(): string {
    const { broken } = this.#judging.referee.referee;
    if (broken.length === 0) return "withheld until a rebirth";
    return this.statementsOf(broken).join(" ");
  }

  /** What is due; a file that is still being written is not written again meanwhile. */
  #writeFiles(nowMs: number): void {
    if (this.#writes > 0) return;
    const { captureFile, captureIntervalMs, recordedMessagesMax } = this.#config;
    const records = captureFile !== "" && recordedMessagesMax > 0;
    if (!records || nowMs - this.#capturedMs < captureIntervalMs) return;
    this.#capturedMs = nowMs;
    const { recorder } = this.#judging.referee.referee;
    const entries = (recorder?.nodes ?? []).map((node) => recorder!.entries(node));
    this.#write(captureFile, this.#captureLines(entries));
  }

  *#captureLines(
    entries: Parameters<Judging["inOrderOfTime"]>[0],
  ): Generator<string> {
    yield this.#room.captureText([]);
    for (const entry of this.#room.inOrderOfTime(entries)) {
      yield this.#room.captureText([entry], false);
    }
  }

  #write(path: string, parts: Iterable<string>): void {
    this.#writes++;
    const before = this.#writing;
    this.#writing = before.then(() => replaceFile(path, parts)).then(
      () => this.#written(path, ""),
      (error) => this.#written(path, error instanceof Error ? error.message : String(error)),
    );
  }

  #written(path: string, problem: string): void {
    this.#writes--;
    if (problem !== "" && problem !== this.#trouble) {
      this.#surroundings!.turns.log.line("error", `Cannot write ${path}: ${problem}`, {
        room: "sparkplug",
      });
    }
    this.#trouble = problem;
  }
}

/** Inflates within bounds; null for what is too long or no such thing. */
const inflate: Inflate = function inflate(body, algorithm, bytesMax) {
  try {
    const limits = { maxOutputLength: bytesMax };
    return algorithm === "GZIP" ? gunzipSync(body, limits) : inflateSync(body, limits);
  } catch {
    return null;
  }
};
