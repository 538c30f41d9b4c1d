/** What a connection is driven over: TCP, or TLS above it. */

/** The byte stream under a connection, as `Deno.TcpConn` has it. */
export interface ByteStream {
  /** Gives the bytes read, or null at the end of the stream. */
  read(target: Uint8Array): Promise<number | null>;
  /** Gives the bytes taken, possibly not all. */
  write(source: Uint8Array): Promise<number>;
  /** Ends our side of the stream; what the peer sends can still be read. */
  closeWrite(): Promise<void>;
  /** Ends both sides; what is being read or written ends, too. */
  close(): void;
}
