/** Handshakes that are slow, many or broken, and reloading while connections stay. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  TcpListener,
  TlsAcceptor,
  type TlsConnection,
  type TlsStream,
} from "../../src/transport/mod.ts";
import {
  daysFromNow,
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { tlsSettings, TlsTestListener } from "../support/tls_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { CRYPTO, derOf, parsed } from "../security/_judge.ts";

const DIRECTORY = temporaryDirectory();
let created = 0;

/** An authority, a server and a client of one test. */
interface Parties {
  readonly root: TestAuthority;
  readonly server: IssuedFiles;
  readonly pump: IssuedFiles;
  /** A listener that requires certificates of `root`. */
  readonly strict: IssuedFiles & { readonly caFile: string };
}

function tlsTest(name: string, run: (parties: Parties) => Promise<void>): void {
  Deno.test({
    name: name + NEEDS_OPENSSL,
    ignore: !OPENSSL,
    fn: async () => {
      const root = await TestAuthority.root(DIRECTORY, `root-${++created}`);
      const server = await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS });
      const pump = await root.issue({ subject: "/CN=pump" });
      await run({ root, server, pump, strict: { ...server, caFile: root.certificateFile } });
    },
  });
}

/** Connections that would not get in any more, and why. */
async function staleOf(
  acceptor: TlsAcceptor,
): Promise<{ stream: TlsStream; cause: string }[]> {
  const stale: { stream: TlsStream; cause: string }[] = [];
  await acceptor.recheck((stream, { cause }) => stale.push({ stream, cause }));
  return stale;
}

/** The time until the other side closes a raw connection, in milliseconds. */
async function closedAfter(port: number, bytes: Uint8Array): Promise<number> {
  const startedMs = performance.now();
  using raw = await Deno.connect({ hostname: "127.0.0.1", port });
  if (bytes.length > 0) await raw.write(bytes);
  await raw.read(new Uint8Array(1_000)).catch(() => null);
  return performance.now() - startedMs;
}

tlsTest("a handshake that says nothing, or half of something, really ends", async ({ server }) => {
  const settings = { handshakeTimeoutMs: 300 };
  await using listener = await TlsTestListener.start({ ...server, settings });
  const halfHello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
  for (const bytes of [new Uint8Array(0), halfHello]) {
    const tookMs = await closedAfter(listener.port, bytes);
    assertGreater(tookMs, 250);
    assert(tookMs < 3_000, `took ${tookMs} ms`);
  }
  assertEquals(listener.refused.map(({ cause }) => cause), ["timeout", "timeout"]);
  assertEquals(listener.acceptor.statistics.handshaking, 0);
});

tlsTest("a drip of bytes does not stretch the time for a handshake", async ({ server }) => {
  const settings = { handshakeTimeoutMs: 400 };
  await using listener = await TlsTestListener.start({ ...server, settings });
  using raw = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  await raw.write(Uint8Array.of(0x16, 3, 1, 2, 0));
  const timer = setInterval(() => void raw.write(Uint8Array.of(1)).catch(() => {}), 50);
  await listener.settled(1);
  clearInterval(timer);
  assertEquals(listener.refused[0]?.cause, "timeout");
  await new Promise((resolve) => setTimeout(resolve, 60));
});

tlsTest("garbage, an endless handshake and a reset are refused at once", async ({ server }) => {
  await using listener = await TlsTestListener.start(server);
  await closedAfter(listener.port, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await listener.settled(1);
  assertNotEquals(listener.refused[0]!.reason, "the client has gone");
  // Records of a handshake message that never ends.
  const record = new Uint8Array(16_384 + 5).fill(1);
  record.set([0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff]);
  const flood = new Uint8Array(record.length * 20);
  for (let i = 0; i < 20; i++) flood.set(record, i * record.length);
  await closedAfter(listener.port, flood).catch(() => 0);
  await listener.settled(2);
  for (let i = 0; i < 20; i++) {
    const raw = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
    await raw.write(Uint8Array.of(0x16, 3, 1));
    raw.close();
  }
  await listener.settled(22);
  assertEquals(new Set(listener.refused.map(({ cause }) => cause)), new Set(["handshake"]));
  assertEquals(listener.acceptor.statistics.handshaking, 0);
  using client = await TlsClient.connect({ port: listener.port });
  await listener.settled(23);
  assertEquals(listener.established.length, 1);
  assert(!client.socket.destroyed);
});

tlsTest("at the limit of handshakes a young one stays, an old one goes", async ({ server }) => {
  const settings = { handshakesMax: 3, handshakeTimeoutMs: 30_000 };
  await using listener = await TlsTestListener.start({ ...server, settings });
  const idle = await Promise.all(
    [1, 2, 3].map(() => Deno.connect({ hostname: "127.0.0.1", port: listener.port })),
  );
  while (listener.acceptor.statistics.handshaking < 3) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await closedAfter(listener.port, new Uint8Array(0));
  assertEquals(listener.refused.map(({ cause }) => cause), ["overload"]);
  assertEquals(listener.acceptor.statistics.handshaking, 3);
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  using client = await TlsClient.connect({ port: listener.port });
  await listener.settled(3);
  assertEquals(listener.established.length, 1);
  assertEquals(listener.refused.map(({ cause }) => cause), ["overload", "overload"]);
  assert(!client.socket.destroyed);
  for (const raw of idle) raw.close();
});

tlsTest("too many open files, really: the listener is heard again later", async ({ server }) => {
  const script = new URL("_tls_listener.ts", import.meta.url).pathname;
  const { certificateFile, keyFile } = server;
  const command = `ulimit -n 64 && exec "$0" run --no-check -A ${script} "$1" "$2"`;
  const child = new Deno.Command("sh", {
    args: ["-c", command, Deno.execPath(), certificateFile, keyFile],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  async function until(wanted: RegExp): Promise<string> {
    for (let found = wanted.exec(output);; found = wanted.exec(output)) {
      if (found !== null) return found[1] ?? "";
      const { value, done } = await lines.read();
      if (done) throw new Error(`Cannot see ${wanted}: ${output}`);
      output += value;
    }
  }
  const port = Number(await until(/port (\d+)/));
  const hoard: Deno.Conn[] = [];
  for (let i = 0; i < 80; i++) hoard.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  await until(/failed .*[Tt]oo many open files/);
  for (const raw of hoard) raw.close();
  using client = await TlsClient.connect({ port });
  await until(/established/);
  assert(!client.socket.destroyed);
  child.kill();
  await child.status;
  await lines.cancel();
});

tlsTest(
  "failures to accept stop nobody else",
  async ({ strict, pump }) => {
    const acceptor = await TlsAcceptor.open(await tlsSettings(strict), {
      crypto: CRYPTO,
      wallMs: Date.now,
    });
    if ("problem" in acceptor) throw new Error(acceptor.problem);
    const real = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const faults = [
      new Error("Too many open files (os error 24)"),
      new Deno.errors.NotConnected("gone"),
      new Error("Too many open files (os error 24)"),
    ];
    const source = {
      addr: real.addr,
      close: () => real.close(),
      accept: () => {
        const fault = faults.pop();
        return fault === undefined ? real.accept() : Promise.reject(fault);
      },
    };
    const passed = Promise.withResolvers<TlsConnection>();
    const listener = new TcpListener(source, {
      accepted: (raw) =>
        acceptor.accept(raw, { established: passed.resolve, refused: passed.reject }),
      failed: () => {},
    });
    using _client = await TlsClient.connect({ port: real.addr.port, certificate: pump });
    const { stream, certificate } = await passed.promise;
    assertEquals(certificate?.identity, "pump");
    stream.close();
    await listener.close();
  },
);

tlsTest("a reload: new certificate for new connections, old ones go on", async (parties) => {
  const { root, strict, pump } = parties;
  await using listener = await TlsTestListener.start(strict);
  using before = await TlsClient.connect({ port: listener.port, certificate: pump });
  await listener.settled(1);
  const renewed = await root.issue({ subject: "/CN=renewed", extensions: SERVER_EXTENSIONS });
  assertEquals(await listener.reload({ ...strict, ...renewed }), null);
  using after = await TlsClient.connect({ port: listener.port, certificate: pump });
  await listener.settled(2);
  assertEquals(before.socket.getPeerCertificate().subject.CN, "broker");
  assertEquals(after.socket.getPeerCertificate().subject.CN, "renewed");
  assertEquals(await staleOf(listener.acceptor), []);
  await listener.established[0]!.stream.write(Uint8Array.of(7));
  assertEquals((await before.receive())?.[0], 7);
});

tlsTest("after a reload `recheck` names those who would not get in any more", async (parties) => {
  const { root, strict, pump } = parties;
  const other = await TestAuthority.root(DIRECTORY, `other-${created}`);
  const valve = await root.issue({ subject: "/CN=valve" });
  const crlFiles = [await root.crl()];
  await using listener = await TlsTestListener.start({ ...strict, crlFiles });
  using _pump = await TlsClient.connect({ port: listener.port, certificate: pump });
  await listener.settled(1);
  using _valve = await TlsClient.connect({ port: listener.port, certificate: valve });
  await listener.settled(2);
  const [first, second] = listener.established.map(({ stream }) => stream);
  const stale = () => staleOf(listener.acceptor);
  assertEquals(await stale(), []);

  await root.revoke(valve);
  await listener.reload({ ...strict, crlFiles: [await root.crl()] });
  assertEquals(await stale(), [{ stream: second, cause: "revoked" }]);

  const pins = derOf(valve).map((der) => `sha256/${CRYPTO.sha256(parsed(der).spki).toHex()}`);
  await listener.reload({ ...strict, pins });
  assertEquals(await stale(), [{ stream: first, cause: "unpinned" }]);

  await listener.reload({ ...strict, caFile: other.certificateFile });
  assertEquals((await stale()).map(({ cause }) => cause), ["untrusted", "untrusted"]);

  await listener.reload({ ...strict, policy: { identityFrom: "fingerprint" } });
  assertEquals((await stale()).map(({ cause }) => cause), ["identityChanged", "identityChanged"]);

  await listener.reload(strict);
  assertEquals(await stale(), []);
  first!.close();
  await listener.reload({ ...strict, caFile: other.certificateFile });
  assertEquals(await stale(), [{ stream: second, cause: "untrusted" }]);
});

tlsTest("a client whose certificate expires is named by `recheck`", async ({ root, strict }) => {
  let nowMs = Date.now();
  const acceptor = await TlsAcceptor.open(await tlsSettings(strict), {
    crypto: CRYPTO,
    wallMs: () => nowMs,
  });
  if ("problem" in acceptor) throw new Error(acceptor.problem);
  const passed = Promise.withResolvers<TlsConnection>();
  const listener = TcpListener.listen({ host: "127.0.0.1", port: 0 }, {
    accepted: (raw) =>
      acceptor.accept(raw, { established: passed.resolve, refused: passed.reject }),
    failed: () => {},
  });
  const certificate = await root.issue({ notAfter: daysFromNow(1) });
  using _client = await TlsClient.connect({ port: listener.address.port, certificate });
  const { stream } = await passed.promise;
  assertEquals(await staleOf(acceptor), []);
  nowMs += 2 * 86_400_000;
  assertEquals((await staleOf(acceptor)).map(({ cause }) => cause), ["expired"]);
  stream.close();
  await listener.close();
});

tlsTest(
  "settings that do not work are refused with a reason and change nothing",
  async (parties) => {
    const { root, server, strict, pump } = parties;
    await using listener = await TlsTestListener.start(strict);
    const good = await tlsSettings(strict);
    const noCa = await tlsSettings({ ...server, policy: { clientCertificate: "required" } });
    assertStringIncludes((await listener.acceptor.replace(noCa))!, "no CA to judge them by");
    // Only the engine can tell: a curve that node:crypto knows and rustls does not.
    const foreign = await root.issue({
      newKey: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    });
    const material = {
      ...good.material,
      certificatePem: await Deno.readTextFile(foreign.certificateFile),
      keyPem: await Deno.readTextFile(foreign.keyFile),
    };
    const problem = await listener.acceptor.replace({ ...good, material });
    assert(problem !== null && problem !== "", String(problem));
    using _client = await TlsClient.connect({ port: listener.port, certificate: pump });
    await listener.settled(1);
    assertEquals(listener.established.length, 1);
  },
);

tlsTest("intermediate certificates that a client sends complete its path", async (parties) => {
  const { root, strict } = parties;
  const middle = await root.subordinate(`middle-${created}`);
  const leaf = await middle.issue({ subject: "/CN=deep" });
  await using listener = await TlsTestListener.start(strict);
  using _client = await TlsClient.connect({
    port: listener.port,
    certificate: leaf,
    intermediates: [middle],
  });
  await listener.settled(1);
  assertEquals(listener.established[0]?.certificate?.identity, "deep");
});

tlsTest("an application protocol is agreed on where one is set", async ({ server }) => {
  const { connect } = await import("node:tls");
  await using listener = await TlsTestListener.start({ ...server, settings: { alpn: ["mqtt"] } });
  const port = listener.port;
  const socket = connect({ port, ALPNProtocols: ["mqtt"], rejectUnauthorized: false });
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  assertEquals(socket.alpnProtocol, "mqtt");
  await listener.settled(1);
  const other = connect({ port, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
  other.on("error", () => {});
  await listener.settled(2);
  assertEquals(listener.refused.map(({ cause }) => cause), ["handshake"]);
  socket.destroy();
  other.destroy();
});
