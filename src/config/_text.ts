const QUOTED_LENGTH_MAX = 60;

/** Turns offsets into lines and columns, both from 1. Columns count UTF-16 code units. */
export class LineIndex {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  positionAt(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/** Quotes foreign text for a message: clipped, and with no control character a terminal would obey. */
export function quote(text: string): string {
  const clipped = text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text;
  const escaped = JSON.stringify(clipped);
  return escaped.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Writes a key path as TOML would, with quotes round what is not a bare key. */
export function formatPath(path: readonly string[]): string {
  return path.map((name) => /^[A-Za-z0-9_-]{1,60}$/.test(name) ? name : quote(name)).join(".");
}
