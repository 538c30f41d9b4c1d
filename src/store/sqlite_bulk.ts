/** Rows in bulk: a call of a statement costs as much as two rows. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

const ROWS = 16;

/** Collects the parameters of a statement that exists for one row and for many. */
export class BulkStatement {
  readonly #one: StatementSync;
  readonly #many: StatementSync;
  readonly #columns: number;
  readonly #head: SQLInputValue[] = [];
  readonly #values: SQLInputValue[] = [];
  readonly #take: ((row: Record<string, unknown>) => void) | null;

  /**
   * `sql` holds one group in brackets, of question marks only, for each row: `VALUES (?, ?)` or
   * `IN (?)`. `take` gets the rows that the statement returns.
   */
  constructor(
    database: DatabaseSync,
    sql: string,
    take: ((row: Record<string, unknown>) => void) | null = null,
  ) {
    const isList = /IN \(\?\)/.test(sql);
    const row = sql.match(/\((?:\?(?:, )?)+\)/)![0];
    const many = isList
      ? `(${Array(ROWS).fill("?").join(", ")})`
      : Array(ROWS).fill(row).join(", ");
    this.#one = database.prepare(sql);
    this.#many = database.prepare(sql.replace(row, many));
    this.#columns = row.split("?").length - 1;
    this.#take = take;
  }

  /** The parameter in front of the rows; those collected with another one are written first. */
  setHead(value: SQLInputValue): void {
    if (this.#head[0] === value) return;
    this.flush();
    this.#head[0] = value;
  }

  /** Adds a row; may write. */
  add(...row: SQLInputValue[]): void {
    const values = this.#values;
    for (const value of row) values.push(value);
    if (values.length < ROWS * this.#columns) return;
    this.#run(this.#many, values);
    values.length = 0;
  }

  /** Writes what is left. */
  flush(): void {
    const values = this.#values;
    for (let at = 0; at < values.length; at += this.#columns) {
      this.#run(this.#one, values.slice(at, at + this.#columns));
    }
    this.clear();
  }

  /** Forgets what is left. */
  clear(): void {
    this.#values.length = 0;
    this.#head.length = 0;
  }

  #run(statement: StatementSync, values: readonly SQLInputValue[]): void {
    if (this.#take === null) statement.run(...this.#head, ...values);
    else for (const row of statement.all(...this.#head, ...values)) this.#take(row);
  }
}
