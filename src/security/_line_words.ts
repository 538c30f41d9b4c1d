/** Takes a line apart that people have written: words, some of them in quotation marks. */

/** A word and where it begins. */
export interface Word {
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

/** What is wrong with a line, and where. */
export interface WordFault {
  readonly fault: string;
  readonly column: number;
}

const QUOTED = /"(?:[^"\\]|\\.)*"/y;

/** Reads one line from left to right. */
export class LineWords {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line.replace(/[ \t]+$/, "");
  }

  /** Where the next word begins, or would begin. */
  get column(): number {
    this.#skipBlanks();
    return this.#at + 1;
  }

  /** The next word, or null at the end. In quotation marks a word is written as in JSON. */
  next(): Word | WordFault | null {
    const { column } = this;
    const start = this.#at;
    if (start >= this.#line.length) return null;
    if (this.#line[start] === '"') return this.#quoted();
    while (this.#at < this.#line.length && !isBlank(this.#line[this.#at])) this.#at++;
    const text = this.#line.slice(start, this.#at);
    if (text.includes('"')) return { fault: "a quotation mark stands inside a word", column };
    return { text, column };
  }

  /** All words that are left. */
  all(): Word[] | WordFault {
    const words: Word[] = [];
    for (let word = this.next(); word !== null; word = this.next()) {
      if ("fault" in word) return word;
      words.push(word);
    }
    return words;
  }

  /** All that is left as one word: a Topic Filter may hold blanks. */
  rest(): Word | WordFault | null {
    const { column } = this;
    const start = this.#at;
    if (this.#line[start] !== '"') {
      this.#at = this.#line.length;
      const text = this.#line.slice(start);
      return text === "" ? null : { text, column };
    }
    const word = this.#quoted();
    if ("fault" in word || this.#at >= this.#line.length) return word;
    return { fault: "something stands behind the quotation mark", column: this.#at + 1 };
  }

  #quoted(): Word | WordFault {
    const column = this.#at + 1;
    QUOTED.lastIndex = this.#at;
    const written = QUOTED.exec(this.#line)?.[0];
    if (written === undefined) return { fault: "the quotation mark is never closed", column };
    this.#at += written.length;
    if (this.#at < this.#line.length && !isBlank(this.#line[this.#at])) {
      return { fault: "something stands behind the quotation mark", column: this.#at + 1 };
    }
    try {
      return { text: String(JSON.parse(written)), column };
    } catch {
      return { fault: "the text in quotation marks is not written as in JSON", column };
    }
  }

  #skipBlanks(): void {
    while (isBlank(this.#line[this.#at])) this.#at++;
  }
}

/** A word as it can be read again. */
export function writtenWord(text: string): string {
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(text);
}

/** A Topic Filter as it can be read again at the end of a line. */
export function writtenRest(text: string): string {
  return text === text.trim() && !text.startsWith('"') ? text : JSON.stringify(text);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
