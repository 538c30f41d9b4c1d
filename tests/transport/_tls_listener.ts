/**
 * A TLS listener in a process of its own, for the test of too many open files. Prints its port, then
 * a line for each failure to accept and for each connection that has passed.
 */
import { loadCertificateCrypto } from "../../src/security/mod.ts";
import { TcpListener, TlsAcceptor } from "../../src/transport/mod.ts";
import { tlsSettings } from "../support/tls_broker.ts";

// As `relayq serve` does: Deno opens files for signals at the first use, whoever's it is, and panics
// where none are left.
Deno.addSignalListener("SIGHUP", () => {});
const [certificateFile, keyFile] = Deno.args;
const acceptor = await TlsAcceptor.open(
  await tlsSettings({ certificateFile: certificateFile!, keyFile: keyFile! }),
  { crypto: await loadCertificateCrypto(), wallMs: Date.now },
);
if ("problem" in acceptor) throw new Error(acceptor.problem);
const listener = TcpListener.listen({ host: "127.0.0.1", port: 0 }, {
  accepted: (raw) =>
    acceptor.accept(raw, {
      established: () => print("established"),
      refused: () => {},
    }),
  failed: ({ reason }) => print(`failed ${reason}`),
});
print(`port ${listener.address.port}`);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
