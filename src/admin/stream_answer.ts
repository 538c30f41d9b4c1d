/** Answers whose end nobody knows when they begin. */

/** Where the bytes come from. */
export interface ByteSource {
  /** The next piece, when there is one; null at the end. Asked for only when the last one was taken. */
  next(): Promise<Uint8Array | null>;
  /** Nobody wants any more: what waits in `next` gets null. May be called again. */
  cancel(): void;
}

/** An answer that is sent piece by piece for as long as its source gives any. */
export class StreamAnswer extends Response {
  readonly source: ByteSource;

  constructor(source: ByteSource, headers: Readonly<Record<string, string>>) {
    super(null, { headers });
    this.source = source;
  }
}
