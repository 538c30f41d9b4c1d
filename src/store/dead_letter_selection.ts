/** Which dead letters are meant, and what they are; without a database. */
import {
  asTopicFilter,
  asTopicName,
  type Qos,
  type TopicFilter,
  type TopicName,
} from "../mqtt/mod.ts";
import { DROP_REASONS } from "../broker/mod.ts";
import type { DeadLetterFile } from "./dead_letter_file.ts";
import type { StoreProblem } from "./sqlite_problem.ts";

/** A dead letter with its content. */
export interface StoredLetter {
  readonly id: number;
  /** One of `DROP_REASONS` of the program that wrote it. */
  readonly reason: string;
  /** On the wall clock of that moment, in ms since 1970. */
  readonly wallMs: number;
  /** Client Identifier; empty if it is not known. */
  readonly publisher: string;
  /** Client Identifier of the session that did not get it; empty if nobody did. */
  readonly session: string;
  readonly topic: TopicName;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** Which dead letters are meant; what is left out does not matter. */
export interface DeadLetterSelection {
  readonly ids?: readonly number[];
  readonly reason?: string;
  readonly topic?: TopicFilter;
  readonly publisher?: string;
  readonly session?: string;
  /** Publisher or session. */
  readonly client?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** A selection as people write it. */
export interface SelectionText {
  readonly ids: readonly string[];
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  readonly publisher?: string | undefined;
  readonly session?: string | undefined;
  readonly client?: string | undefined;
  /** Points in time that `Date` understands. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Reads a selection, or says what is wrong with it. */
export function parseSelection(text: SelectionText): DeadLetterSelection | { problem: string } {
  const { reason, publisher, session, client } = text;
  const ids = text.ids.map(Number);
  const wrong = text.ids.find((_, i) => !Number.isSafeInteger(ids[i]) || ids[i]! < 1);
  if (wrong !== undefined) return { problem: `${JSON.stringify(wrong)} is not an ID` };
  const known: readonly string[] = DROP_REASONS;
  if (reason !== undefined && !known.includes(reason)) {
    return { problem: `reason ${JSON.stringify(reason)} is none of ${known.join(", ")}` };
  }
  const topic = text.topic === undefined ? undefined : asTopicFilter(text.topic);
  if (typeof topic === "object") return { problem: `topic: ${topic.reason}` };
  const times = [text.since, text.until].map((time) =>
    time === undefined ? undefined : Date.parse(time)
  );
  if (times.some((time) => Number.isNaN(time))) {
    return { problem: "a point in time is written like 2026-01-31 or 2026-01-31T12:00:00Z" };
  }
  const [sinceMs, untilMs] = times;
  return {
    ...ids.length === 0 ? {} : { ids },
    ...reason === undefined ? {} : { reason },
    ...topic === undefined ? {} : { topic },
    ...publisher === undefined ? {} : { publisher },
    ...session === undefined ? {} : { session },
    ...client === undefined ? {} : { client },
    ...sinceMs === undefined ? {} : { sinceMs },
    ...untilMs === undefined ? {} : { untilMs },
  };
}

/** Reads the topic to replay to, or says what is wrong with it. */
export function parseReplayTopic(text: string): TopicName | { problem: string } {
  const topic = asTopicName(text);
  if (typeof topic === "object") return { problem: `topic: ${topic.reason}` };
  return topic.startsWith("$") ? { problem: "topic: one with $ is the server's" } : topic;
}

/**
 * Opens the dead letters of a data directory whose broker does not run. SQLite is loaded only here:
 * in the broker it is the worker's.
 */
export async function openDeadLetters(path: string): Promise<DeadLetterFile | StoreProblem> {
  const { DeadLetterFile } = await import("./dead_letter_file.ts");
  return DeadLetterFile.open(path);
}
