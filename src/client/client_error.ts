/**
 * Why a client cannot go on: `network`: no connection, or it broke; `refused`: the server said no;
 * `silence`: it did not answer in time; `protocol`: what it sent is not MQTT 3.1.1.
 */
export type ClientErrorKind = "network" | "refused" | "silence" | "protocol";

/** A fault of the connection or of the server, for people. */
export class ClientError extends Error {
  readonly kind: ClientErrorKind;

  constructor(kind: ClientErrorKind, message: string) {
    super(message);
    this.name = "ClientError";
    this.kind = kind;
  }
}

/** What any error says, as a fault of the network unless it is one of ours already. */
export function clientErrorOf(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError("network", error instanceof Error ? error.message : String(error));
}

/** Rejects with `silence` if `work` takes longer than `timeoutMs`. */
export async function inTime<T>(
  work: Promise<T>,
  { timeoutMs, of }: { timeoutMs: number; of: string },
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `${of}: no answer in ${timeoutMs / 1000} s`;
    timer = setTimeout(() => reject(new ClientError("silence", text)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
