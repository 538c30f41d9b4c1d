/** A connection as a client needs it; `Deno.TcpConn` is one. */
export interface ClientStream {
  /** Resolves to the number of bytes put into `target`, or to null at the end. */
  read(target: Uint8Array): Promise<number | null>;
  /** Resolves to the number of bytes taken, which may be fewer than there are. */
  write(source: Uint8Array): Promise<number>;
  /** Closes; what was written and not sent yet may be lost. */
  close(): void;
}

/** Writes all of `bytes`, however many calls it takes. */
export async function writeAll(stream: ClientStream, bytes: Uint8Array): Promise<void> {
  let written = await stream.write(bytes);
  while (written < bytes.length) written += await stream.write(bytes.subarray(written));
}

/** Closes a stream in whatever state it is. */
export function closeQuietly(stream: ClientStream): void {
  try {
    stream.close();
  } catch {
    // Closed already, by the other side or by an error.
  }
}
