/** Reads the PROXY header in front of a connection, and no byte of the client's. */
import {
  PROXY_V2_BYTES_MAX,
  type ProxySource,
  type ProxyVersions,
  readProxyHeader,
} from "../security/mod.ts";
import { PrefixedStream } from "./prefixed_stream.ts";
import type { RawConnection } from "./tls_acceptor.ts";

/** Room for a header without TLVs; one with more is read in pieces. */
const BUFFER_BYTES_MIN = 256;
/** Connections that may wait for their headers; a proxy sends it with the first segment. */
const WAITING_MAX = 1_024;

/** How a header is read. */
export interface ProxyReaderSettings {
  readonly versions: ProxyVersions;
  /** How long the whole header may take. */
  readonly timeoutMs: number;
}

/** How it ends; exactly one of the two is called. */
export interface ProxyOutcome {
  /** The stream begins behind the header. `source` is null where the proxy speaks for itself. */
  readonly named: (stream: RawConnection, source: ProxySource | null) => void;
  /** There was no valid header; the connection has been closed. */
  readonly failed: (problem: string) => void;
}

/** The connections of one listener that wait for their headers. */
export class ProxyReader {
  readonly #settings: ProxyReaderSettings;
  readonly #waiting = new Set<RawConnection>();

  constructor(settings: ProxyReaderSettings) {
    this.#settings = settings;
  }

  /** Reads the header; takes the connection, and closes it if there is none. */
  read(raw: RawConnection, outcome: ProxyOutcome): void {
    if (this.#waiting.size >= WAITING_MAX) {
      end(raw);
      outcome.failed(`${WAITING_MAX} connections wait for their headers already`);
      return;
    }
    this.#waiting.add(raw);
    void this.#read(raw, outcome);
  }

  /** Ends every connection that still waits. */
  close(): void {
    for (const raw of this.#waiting) end(raw);
  }

  async #read(raw: RawConnection, outcome: ProxyOutcome): Promise<void> {
    const { timeoutMs } = this.#settings;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end(raw);
    }, timeoutMs);
    const header = await this.#header(raw);
    clearTimeout(timer);
    this.#waiting.delete(raw);
    if (typeof header !== "string" && !late) {
      outcome.named(header.stream, header.source);
      return;
    }
    end(raw);
    outcome.failed(late ? `no header within ${timeoutMs} ms` : String(header));
  }

  /** Gives what is wrong as a text. */
  async #header(
    raw: RawConnection,
  ): Promise<{ stream: RawConnection; source: ProxySource | null } | string> {
    let buffer = new Uint8Array(BUFFER_BYTES_MIN);
    for (let filled = 0;;) {
      const count = await readSome(raw, buffer.subarray(filled));
      if (count === null) return filled === 0 ? "the end before it" : "the end within it";
      filled += count;
      const bytes = buffer.subarray(0, filled);
      const reading = readProxyHeader(bytes, this.#settings.versions);
      if (reading.status === "error") return reading.problem;
      if (reading.status === "header") {
        const { length, source } = reading;
        const stream = length === filled ? raw : new PrefixedStream(raw, bytes.subarray(length));
        return { stream, source };
      }
      if (filled < buffer.length) continue;
      // A header is at most that long, so that there is always room for its next byte.
      const larger = new Uint8Array(PROXY_V2_BYTES_MAX);
      larger.set(buffer);
      buffer = larger;
    }
  }
}

/** Gives null at the end; whether the connection was closed or reset is the same. */
async function readSome(raw: RawConnection, target: Uint8Array): Promise<number | null> {
  try {
    return await raw.read(target);
  } catch {
    return null;
  }
}

function end(raw: RawConnection): void {
  try {
    raw.close();
  } catch {
    // Closed already by the runtime.
  }
}
