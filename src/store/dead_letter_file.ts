/** The dead letters of a data directory whose broker does not run: read, replayed, purged. */
import type { DatabaseSync } from "node:sqlite";
import type { TopicName } from "../mqtt/mod.ts";
import { isServerTopic } from "../broker/mod.ts";
import { isSelected } from "./dead_letter_look.ts";
import { conditions, letterOf } from "./dead_letter_rows.ts";
import type { DeadLetterSelection, StoredLetter } from "./dead_letter_selection.ts";
import { openDatabase } from "./sqlite_database.ts";
import { problemOf, type StoreProblem } from "./sqlite_problem.ts";

/** The database of a data directory, open for this process alone. */
export class DeadLetterFile {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Opens a database that is there, or says why that is not possible. */
  static open(path: string): DeadLetterFile | StoreProblem {
    try {
      Deno.statSync(path);
      return new DeadLetterFile(openDatabase(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return { problem: "there is no database", kind: "unusable" };
      }
      return problemOf(error);
    }
  }

  /** The dead letters that are meant, oldest first. */
  *list(selection: DeadLetterSelection = {}): Generator<StoredLetter> {
    const { where, values } = conditions(selection);
    const rows = this.#database.prepare(`SELECT * FROM dead_letter WHERE ${where} ORDER BY id`);
    for (const row of rows.iterate(...values)) {
      const letter = letterOf(row);
      if (isSelected(letter, selection)) yield letter;
    }
  }

  /**
   * Takes dead letters out, to be published when the broker starts: on their own topic, or on `to`.
   * Those stay of which only the topic is known, and those of a topic that is the server's, on which
   * nobody may make it publish. Gives how many of them went and how many stay.
   */
  replay(
    selection: DeadLetterSelection,
    to: TopicName | null = null,
  ): { taken: number; left: number } {
    return this.#takeOut(selection, (letter) => {
      if (letter.reason === "oversize" || isServerTopic(to ?? letter.topic)) return false;
      this.#database.prepare(
        "INSERT INTO publication (id, topic, qos, retain, payload) VALUES" +
          " ((SELECT coalesce(max(id), 0) + 1 FROM publication), ?, ?, ?, ?)",
      ).run(to ?? letter.topic, letter.qos, letter.retain ? 1 : 0, letter.payload);
      return true;
    });
  }

  /** Takes dead letters out for good. Gives how many. */
  purge(selection: DeadLetterSelection): number {
    return this.#takeOut(selection, () => true).taken;
  }

  close(): void {
    this.#database.close();
  }

  /** `use` says whether a letter goes. */
  #takeOut(
    selection: DeadLetterSelection,
    use: (letter: StoredLetter) => boolean,
  ): { taken: number; left: number } {
    const database = this.#database;
    const remove = database.prepare("DELETE FROM dead_letter WHERE id = ?");
    // A statement that is stepped through would see the deletions: the identifiers come first.
    const ids: number[] = [];
    for (const { id } of this.list(selection)) ids.push(id);
    let taken = 0;
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const id of ids) {
        const [letter] = this.list({ ids: [id] });
        if (letter === undefined || !use(letter)) continue;
        remove.run(id);
        taken++;
      }
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
    return { taken, left: ids.length - taken };
  }
}
