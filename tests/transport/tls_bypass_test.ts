/**
 * Ways past the client certificate check of Deno 2.9.6, each tried over real sockets. Session
 * tickets of one process open under one key, whichever listener made them, and a resumed session is
 * checked by nobody but us. The proof of the private key is not looked at for certificates that the
 * runtime cannot parse, X.509 version 1 among them.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import tls from "node:tls";
import {
  forgedKey,
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TlsTestListener } from "../support/tls_broker.ts";

const DIRECTORY = temporaryDirectory();
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
/** A client that nobody closes is ended after this time. */
const PATIENCE_MS = 8_000;
let created = 0;

/** Authorities and a server of one test, and a client that keeps its ticket in a file. */
interface Parties {
  readonly root: TestAuthority;
  readonly other: TestAuthority;
  readonly server: IssuedFiles;
  readonly client: TicketClient;
}

function bypassTest(name: string, run: (parties: Parties) => Promise<void>): void {
  for (const version of VERSIONS) {
    Deno.test({
      name: `${name} (${version})${NEEDS_OPENSSL}`,
      ignore: !OPENSSL,
      fn: async () => {
        const id = ++created;
        const root = await TestAuthority.root(DIRECTORY, `root-${id}`);
        const other = await TestAuthority.root(DIRECTORY, `other-${id}`);
        const server = await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS });
        await run({ root, other, server, client: new TicketClient(version, id) });
      },
    });
  }
}

/** `openssl s_client`: it resumes when it is told to, and signs with whatever key it is given. */
class TicketClient {
  readonly #version: string;
  readonly #ticketFile: string;

  constructor(version: (typeof VERSIONS)[number], id: number) {
    this.#version = version === "TLSv1.2" ? "-tls1_2" : "-tls1_3";
    this.#ticketFile = `${DIRECTORY}/${id}.ticket`;
  }

  /** Connects where it is allowed, and stays until it has a ticket. */
  async obtain(listener: TlsTestListener, certificate?: IssuedFiles): Promise<void> {
    const before = listener.established.length;
    const output = this.#run(listener.port, ["-sess_out", this.#ticketFile], certificate);
    await listener.settled(before + 1);
    assertEquals(listener.established.length, before + 1, "the ticket was not given");
    // TLS 1.3 sends tickets behind the handshake; a byte of ours comes behind them.
    const { stream } = listener.established[before]!;
    await stream.write(Uint8Array.of(10));
    await stream.closeWrite();
    await output;
    await Deno.stat(this.#ticketFile);
  }

  /** Connects to a server of the runtime's own that takes whoever shows anything. */
  async obtainFromLenient(server: IssuedFiles, certificate: IssuedFiles): Promise<void> {
    const lenient = tls.createServer({
      cert: await Deno.readTextFile(server.certificateFile),
      key: await Deno.readTextFile(server.keyFile),
      ca: await Deno.readTextFile(server.certificateFile),
      requestCert: true,
      rejectUnauthorized: false,
    }, (socket) => socket.end("\n"));
    await new Promise<void>((resolve) => lenient.listen(0, "127.0.0.1", resolve));
    const { port } = lenient.address() as { port: number };
    await this.#run(port, ["-sess_out", this.#ticketFile], certificate);
    await new Promise((resolve) => lenient.close(resolve));
    await Deno.stat(this.#ticketFile);
  }

  /** Connects where it is not allowed; tells whether it got a ticket all the same. */
  async obtainRefused(listener: TlsTestListener, certificate: IssuedFiles): Promise<boolean> {
    const before = listener.refused.length;
    await this.#run(listener.port, ["-sess_out", this.#ticketFile], certificate);
    await listener.settled(before + 1);
    assertEquals(listener.refused.length, before + 1);
    return await Deno.stat(this.#ticketFile).then(() => true, () => false);
  }

  /** Connects with the ticket, which must be taken, or the test is void. */
  async present(listener: TlsTestListener, certificate?: IssuedFiles): Promise<string> {
    const [passed, refused] = [listener.established.length, listener.refused.length];
    const output = this.#run(listener.port, ["-sess_in", this.#ticketFile], certificate);
    await listener.settled(passed + refused + 1);
    const established = listener.established[passed];
    established?.stream.close();
    const text = await output;
    assertStringIncludes(text, "Reused, ");
    return established === undefined ? listener.refused.at(-1)!.cause : "PASSED";
  }

  /** Connects without a ticket; gives what s_client says. */
  connect(listener: TlsTestListener, certificate: IssuedFiles): Promise<string> {
    return this.#run(listener.port, [], certificate);
  }

  async #run(port: number, args: readonly string[], certificate?: IssuedFiles): Promise<string> {
    const shown = certificate === undefined
      ? []
      : ["-cert", certificate.certificateFile, "-key", certificate.keyFile];
    const process = new Deno.Command("openssl", {
      args: ["s_client", "-connect", `127.0.0.1:${port}`, this.#version, ...args, ...shown],
      stdin: "piped", // open: it stays until the other side closes
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => process.kill("SIGKILL"), PATIENCE_MS);
    const { stdout, stderr } = await process.output();
    clearTimeout(timer);
    await process.stdin.close().catch(() => {});
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  }
}

bypassTest("a ticket of a listener without client authentication", async (parties) => {
  const { root, server, client } = parties;
  await using open = await TlsTestListener.start(server);
  await using strict = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  await client.obtain(open);
  assertEquals(await client.present(strict), "absent");
});

bypassTest("a ticket of a listener that trusts another CA", async (parties) => {
  const { root, other, server, client } = parties;
  await using lenient = await TlsTestListener.start({ ...server, caFile: other.certificateFile });
  await using strict = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  const certificate = await other.issue({ subject: "/CN=stranger" });
  await client.obtain(lenient, certificate);
  assertEquals(await client.present(strict, certificate), "untrusted");
});

bypassTest("a ticket of a listener that does not reject", async (parties) => {
  const { root, other, server, client } = parties;
  await using strict = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  await client.obtainFromLenient(server, other);
  assertEquals(await client.present(strict, other), "untrusted");
});

bypassTest("who is refused gets no ticket", async (parties) => {
  const { root, other, server, client } = parties;
  await using listener = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  assertEquals(await client.obtainRefused(listener, await other.issue()), false);
  assertEquals(listener.refused[0]?.cause, "untrusted");
});

bypassTest("a ticket from before the CA was swapped", async (parties) => {
  const { root, other, server, client } = parties;
  const options = { ...server, caFile: root.certificateFile };
  await using listener = await TlsTestListener.start(options);
  const certificate = await root.issue({ subject: "/CN=pump" });
  await client.obtain(listener, certificate);
  assertEquals(await listener.reload({ ...options, caFile: other.certificateFile }), null);
  assertEquals(await client.present(listener, certificate), "untrusted");
});

bypassTest("a ticket from before a revocation", async (parties) => {
  const { root, server, client } = parties;
  const options = { ...server, caFile: root.certificateFile, crlFiles: [await root.crl()] };
  await using listener = await TlsTestListener.start(options);
  const certificate = await root.issue({ subject: "/CN=pump" });
  await client.obtain(listener, certificate);
  await root.revoke(certificate);
  assertEquals(await listener.reload({ ...options, crlFiles: [await root.crl()] }), null);
  assertEquals(await client.present(listener, certificate), "revoked");
});

bypassTest("a session that is resumed rightly keeps its identity", async (parties) => {
  const { root, server, client } = parties;
  await using listener = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  const certificate = await root.issue({ subject: "/CN=pump" });
  await client.obtain(listener, certificate);
  assertEquals(await client.present(listener, certificate), "PASSED");
  assertEquals(listener.established[1]?.resumed, true);
  assertEquals(listener.established[1]?.certificate?.identity, "pump");
});

bypassTest("somebody else's certificate without its private key", async (parties) => {
  const { root, server, client } = parties;
  await using listener = await TlsTestListener.start({ ...server, caFile: root.certificateFile });
  const thief = await root.issue({ subject: "/CN=thief" });
  const attempts = [
    { version1: false, cause: "handshake" },
    // The runtime takes the proof as given, and only the verdict stands between.
    { version1: true, cause: "malformed" },
  ];
  for (const { version1, cause } of attempts) {
    const victim = await root.issue({ subject: "/CN=victim", version1 });
    const before = listener.refused.length;
    const output = await client.connect(listener, await forgedKey(victim, thief));
    await listener.settled(before + 1);
    assertEquals(listener.established.length, 0, output);
    assertEquals(listener.refused.at(-1)?.cause, cause, output);
  }
  // With a key of its own the same client passes: it was the key that made the difference.
  const passing = client.connect(listener, thief);
  await listener.settled(3);
  assertEquals(listener.established[0]?.certificate?.identity, "thief");
  listener.established[0]!.stream.close();
  await passing;
});
