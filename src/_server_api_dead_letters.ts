/** What the admin API shows of dead letters, and does with them. */
import type { Turns } from "./_server_turns.ts";
import {
  type ApiLetterChoice,
  type DeadLettersView,
  decodeCursor,
  encodeCursor,
  type LetterProblem,
  PAYLOAD_BYTES_MAX,
  payloadOf,
  PREVIEW_BYTES_MAX,
  previewOf,
} from "./admin/mod.ts";
import type { TopicName } from "./mqtt/mod.ts";
import { quote } from "./security/mod.ts";
import {
  type DeadLetterSelection,
  type LetterPage,
  type LetterQuery,
  type LetterShelf,
  type LetterView,
  parseReplayTopic,
  parseSelection,
} from "./store/mod.ts";

/** Letters that one turn publishes or forgets at most. */
const LETTERS_PER_TURN = 100;
/** No payload is longer. */
const WHOLE_BYTES = 268_435_455;

/** Where the view looks, and for how long. */
export interface LetterGround {
  readonly shelf: LetterShelf;
  /** Whether the broker is not about to end; it does not wait for long searches. */
  readonly accepting: () => boolean;
}

/** Shows dead letters, publishes them after all, and forgets them. */
export function deadLettersView(turns: Turns, ground: LetterGround): DeadLettersView {
  const { oversight, statistics } = turns.broker;
  return {
    async list(filters, { limit, cursor }) {
      const selection = selectionOf({ ids: undefined, filters });
      if ("problem" in selection) return { ...selection, status: 400 };
      const place = cursor === undefined ? "" : decodeCursor(cursor);
      if (place === null || !/^[0-9]{0,15}$/.test(place)) {
        return { problem: "cursor is none of ours", status: 400 };
      }
      const letters: LetterView[] = [];
      let behind = place === "" ? null : Number(place);
      do {
        const query = { selection, behind, newestFirst: true, payloadBytesMax: PREVIEW_BYTES_MAX };
        const page = await look(ground, { ...query, limit: limit - letters.length });
        if ("problem" in page) return page;
        letters.push(...page.letters);
        behind = page.next;
      } while (behind !== null && letters.length < limit);
      const isAll = Object.keys(selection).length === 0;
      return {
        items: letters.map((letter) => ({
          ...factsOf(letter),
          ...previewOf(letter.payload, letter.payloadBytes),
        })),
        next: behind === null ? null : encodeCursor(String(behind)),
        total: isAll ? statistics.deadLetters : null,
      };
    },
    async get(id) {
      const query = { selection: { ids: [id] }, behind: null, newestFirst: true, limit: 1 };
      const page = await look(ground, { ...query, payloadBytesMax: PAYLOAD_BYTES_MAX });
      if ("problem" in page) return page;
      const [letter] = page.letters;
      if (letter === undefined) return null;
      return { ...factsOf(letter), ...payloadOf(letter.payload, letter.payloadBytes) };
    },
    async replay(choice, { to: written, caller }) {
      const to = written === undefined ? null : parseReplayTopic(written);
      if (to !== null && typeof to === "object") {
        return { problem: `to: ${to.problem}`, status: 422 };
      }
      const done = await inTurns(choice, {
        payloadBytesMax: WHOLE_BYTES,
        act: (letters) =>
          turns.change((oversight, instant) =>
            oversight.replay(letters.filter(isWhole).map((letter) => replayed(letter, to)), instant)
          ),
      });
      if ("problem" in done) return done;
      const { taken, seen, committed } = done;
      tell(turns, `${taken} dead letters replayed by ${quote(caller.name)}`);
      return { replayed: taken, left: seen - taken, committed };
    },
    async purge(choice, caller) {
      const done = await inTurns(choice, {
        payloadBytesMax: 0,
        act: (letters) =>
          turns.change((oversight, instant) =>
            oversight.purge(letters.map(({ id }) => id), instant)
          ),
      });
      if ("problem" in done) return done;
      tell(turns, `${done.taken} dead letters purged by ${quote(caller.name)}`);
      return { purged: done.taken, committed: done.committed };
    },
  };

  /** Does something with all that are chosen, some in each turn, the oldest first. */
  async function inTurns(
    choice: ApiLetterChoice,
    { payloadBytesMax, act }: {
      payloadBytesMax: number;
      /** Gives how many of them it took. */
      act: (letters: readonly LetterView[]) => { result: number; committed: Promise<boolean> };
    },
  ): Promise<{ taken: number; seen: number; committed: boolean } | LetterProblem> {
    const selection = selectionOf(choice);
    if ("problem" in selection) return { ...selection, status: 422 };
    // Those that come meanwhile, perhaps because of what is published here, are not meant.
    const last = oversight.lastDeadLetter;
    const query = { selection, newestFirst: false, limit: LETTERS_PER_TURN, payloadBytesMax };
    let behind: number | null = null;
    let taken = 0;
    let seen = 0;
    do {
      const page: LetterPage | LetterProblem = await look(ground, { ...query, behind });
      if ("problem" in page) return page;
      const letters = page.letters.filter(({ id }) => id <= last);
      const { result, committed } = act(letters);
      taken += result;
      seen += letters.length;
      if (!await committed) return { taken, seen, committed: false };
      behind = page.next;
    } while (behind !== null && behind < last);
    return { taken, seen, committed: true };
  }
}

function selectionOf(
  { ids = [], filters }: ApiLetterChoice,
): DeadLetterSelection | { problem: string } {
  const { client_id: client, ...rest } = filters;
  return parseSelection({ ids: ids.map(String), client, ...rest });
}

async function look(
  { shelf, accepting }: LetterGround,
  query: LetterQuery,
): Promise<LetterPage | LetterProblem> {
  if (!accepting()) return { problem: "the broker is about to end", status: 503 };
  try {
    return await shelf.look(query);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), status: 503 };
  }
}

function factsOf({ id, wallMs, reason, topic, qos, retain, publisher, session }: LetterView) {
  const time = new Date(wallMs).toISOString();
  return { id, time, reason, topic, qos, retain, publisher, session };
}

/** Of a message that was too large only the topic is known. */
function isWhole({ reason }: LetterView): boolean {
  return reason !== "oversize";
}

function replayed({ id, topic, payload, qos, retain }: LetterView, to: TopicName | null) {
  return { id, topic: to ?? topic, payload, qos, retain };
}

function tell({ log }: Turns, text: string): void {
  log.line("info", text, { room: "admin" });
}
