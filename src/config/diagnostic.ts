/** One thing that is wrong with a configuration file, and where. */
export interface Diagnostic {
  /** Line in the file, from 1. */
  readonly line: number;
  /** Column in that line, from 1, in UTF-16 code units; a byte order mark does not count. */
  readonly column: number;
  /** Full path of the key or table in question; empty where none can be told. */
  readonly key: string;
  /** What is wrong, one line, without position and suggestion. */
  readonly message: string;
  /** What was probably meant: a key, a full key path, a table header or a value. */
  readonly suggestion?: string;
}
