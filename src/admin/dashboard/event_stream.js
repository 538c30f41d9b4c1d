/** Server-sent events out of the body of an answer, since EventSource sends no bearer token. */

/** @typedef {{ name: string, data: string }} ServerEvent */

const LINE_LENGTH_MAX = 1_000_000;

/**
 * Reads events until the stream ends.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(event: ServerEvent) => void} take
 * @param {{ heard?: () => void }} [options] `heard` is called for every piece, heartbeats included
 */
export async function readEvents(body, take, { heard } = {}) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser(take);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard?.();
      parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Puts lines together to events, as the HTML standard has it. */
export class EventParser {
  #rest = "";
  #name = "";
  /** @type {string[]} */
  #data = [];
  #take;

  /** @param {(event: ServerEvent) => void} take */
  constructor(take) {
    this.#take = take;
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_LENGTH_MAX) {
      throw new RangeError("Cannot read event: it is too long");
    }
    for (const line of lines) this.#line(line);
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      if (this.#data.length > 0) {
        this.#take({
          name: this.#name === "" ? "message" : this.#name,
          data: this.#data.join("\n"),
        });
      }
      this.#name = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
  }
}
