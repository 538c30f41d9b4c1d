/** A load balancer in front of a broker: puts a PROXY header in front of what a client sends. */
import { concatenate } from "./wire_client.ts";

/** Passes connections on; the header and the client's first bytes go out in one write. */
export class LoadBalancer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.TcpConn[] = [];
  readonly #pumps: Promise<void>[] = [];
  readonly #loop: Promise<void>;

  constructor(brokerPort: number, header: Uint8Array) {
    this.#loop = this.#accept(brokerPort, header);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#loop;
    for (const connection of this.#connections) close(connection);
    await Promise.all(this.#pumps);
  }

  async #accept(brokerPort: number, header: Uint8Array): Promise<void> {
    for (;;) {
      const client = await this.#listener.accept().catch(() => null);
      if (client === null) return;
      const broker = await Deno.connect({ hostname: "127.0.0.1", port: brokerPort });
      this.#connections.push(client, broker);
      this.#pumps.push(pump(client, broker, header), pump(broker, client, new Uint8Array(0)));
    }
  }
}

async function pump(from: Deno.TcpConn, to: Deno.TcpConn, header: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let before = header;
  for (;;) {
    const count = await from.read(buffer).catch(() => null);
    if (count === null) break;
    const bytes = concatenate([before, buffer.subarray(0, count)]);
    before = new Uint8Array(0);
    try {
      for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
    } catch {
      break;
    }
  }
  close(from);
  close(to);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
