/** Keys of a listener that are about TLS; the certificates are made by `openssl`. */
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { SecurityFiles } from "../support/security_files.ts";
import {
  CLIENT_EXTENSIONS,
  daysFromNow,
  type IssuedFiles,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { TlsClient, type TlsClientOptions } from "../support/tls_client.ts";
import { connectPacket, publishPacket, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

/** What the cases share: made once, when the first of them asks. */
interface Pki {
  readonly ca: TestAuthority;
  readonly other: TestAuthority;
  readonly server: IssuedFiles;
  readonly client: IssuedFiles;
}

let made: Promise<Pki> | null = null;

function pki(): Promise<Pki> {
  return made ??= makePki();
}

async function makePki(): Promise<Pki> {
  const directory = temporaryDirectory();
  const ca = await TestAuthority.root(directory, "ca");
  const other = await TestAuthority.root(directory, "other");
  const server = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
  return { ca, other, server, client: await ca.issue({ subject: "/CN=device-1" }) };
}

/** A broker with a TLS listener. */
async function tlsBroker(
  listener: Partial<ListenerConfig>,
  changes: ConfigChanges = {},
): Promise<TestBroker> {
  const { server } = await pki();
  return await TestBroker.start(changes, { listener: { ...server, ...listener } });
}

/** A listener that wants client certificates. */
async function mutual(listener: Partial<ListenerConfig> = {}): Promise<TestBroker> {
  const { ca } = await pki();
  const caFile = ca.certificateFile;
  return await tlsBroker({ clientCertificates: "required", caFile, ...listener });
}

/** Whether a client gets a CONNACK that lets it in. */
async function isLetIn(
  { port }: TestBroker,
  options: Omit<TlsClientOptions, "port"> = {},
): Promise<boolean> {
  using client = await TlsClient.connect({ port, ...options });
  await client.send(encodePacket(connectPacket({ clientIdentifier: "c" }))).catch(() => {});
  const answer = await client.receive();
  return answer !== null && answer[0] === 0x20 && answer[3] === 0;
}

const serverCases: KeyCases = {
  "listeners.certificate_file": async () => {
    await using broker = await tlsBroker({});
    assertEquals(await isLetIn(broker), true);
    using plain = await WireClient.open(broker.port);
    await plain.send(connectPacket());
    await plain.expectClosed();
  },
  "listeners.key_file": async () => {
    const { client } = await pki();
    const started = await tlsBroker({ keyFile: client.keyFile }).catch((error) => String(error));
    assertEquals(typeof started, "string", "a key of another certificate does not start");
  },
  "listeners.tls_version_min": async () => {
    for (const tlsVersionMin of ["1.2", "1.3"] as const) {
      await using broker = await tlsBroker({ tlsVersionMin });
      assertEquals(await isLetIn(broker, { version: "TLSv1.2" }), tlsVersionMin === "1.2");
      assertEquals(await isLetIn(broker, { version: "TLSv1.3" }), true);
    }
  },
  "listeners.handshake_timeout_ms": async () => {
    await using broker = await tlsBroker({ handshakeTimeoutMs: 100 });
    using silent = await WireClient.open(broker.port);
    await silent.expectClosed();
  },
  "listeners.handshakes_max": async () => {
    await using broker = await tlsBroker({ handshakesMax: 1 });
    using _first = await WireClient.open(broker.port);
    using second = await WireClient.open(broker.port);
    await second.expectClosed();
  },
};

const clientCases: KeyCases = {
  "listeners.client_certificates": async () => {
    const { client, ca } = await pki();
    for (const clientCertificates of ["none", "optional", "required"] as const) {
      await using broker = await tlsBroker({ clientCertificates, caFile: ca.certificateFile });
      assertEquals(await isLetIn(broker, { certificate: client }), true);
      assertEquals(await isLetIn(broker), clientCertificates !== "required");
    }
  },
  "listeners.ca_file": async () => {
    const { other, client } = await pki();
    await using broker = await mutual({ caFile: other.certificateFile });
    assertEquals(await isLetIn(broker, { certificate: client }), false);
    assertEquals(await isLetIn(broker, { certificate: await other.issue() }), true);
  },
  "listeners.crl_file": async () => {
    const { ca, client } = await pki();
    const revoked = await ca.issue({ subject: "/CN=stolen" });
    await ca.revoke(revoked);
    await using broker = await mutual({ crlFile: await ca.crl() });
    assertEquals(await isLetIn(broker, { certificate: revoked }), false);
    assertEquals(await isLetIn(broker, { certificate: client }), true);
  },
  "listeners.crl_expired": async () => {
    const { ca, client } = await pki();
    const past = { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) };
    const crlFile = await ca.crl(past);
    for (const crlExpired of ["warn", "refuse"] as const) {
      await using broker = await mutual({ crlFile, crlExpired });
      assertEquals(await isLetIn(broker, { certificate: client }), crlExpired === "warn");
    }
  },
  "listeners.crl_missing": async () => {
    const { ca, other, client } = await pki();
    const caFile = `${ca.directory}/both.pem`;
    const bundle = [ca, other].map(({ certificateFile }) => Deno.readTextFileSync(certificateFile));
    await Deno.writeTextFile(caFile, bundle.join("\n"));
    const crlFile = await other.crl();
    for (const crlMissing of ["warn", "refuse"] as const) {
      await using broker = await mutual({ caFile, crlFile, crlMissing });
      assertEquals(await isLetIn(broker, { certificate: client }), crlMissing === "warn");
    }
  },
  "listeners.certificate_pins": async () => {
    const { ca, client } = await pki();
    const der = await certificateBytes(client);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
    await using broker = await mutual({ certificatePins: `sha256/${digest.toHex()}` });
    assertEquals(await isLetIn(broker, { certificate: client }), true);
    assertEquals(await isLetIn(broker, { certificate: await ca.issue() }), false);
  },
};

const identityCases: KeyCases = {
  "listeners.identity_from": async () => {
    const { ca } = await pki();
    const extensions = [...CLIENT_EXTENSIONS, "subjectAltName=DNS:pump.example"];
    const certificate = await ca.issue({ subject: "/CN=device-2", extensions });
    await using files = await SecurityFiles.make();
    const rules = "user device-2\nallow publish cn\ncertificate pump.example\nallow publish dns\n";
    const accessFile = await files.access(rules);
    for (const identityFrom of ["cn", "san_dns"] as const) {
      await using broker = await tlsBroker({
        clientCertificates: "required",
        caFile: ca.certificateFile,
        identityFrom,
      }, { security: { accessFile } });
      using client = await TlsClient.connect({ port: broker.port, certificate });
      await client.send(encodePacket(connectPacket({ clientIdentifier: "c" })));
      await client.receive();
      const { dropped } = broker.server.broker.statistics;
      for (const [topic, refused] of [["cn", 0], ["dns", 1]] as const) {
        await client.send(encodePacket(publishPacket(topic, "x", { qos: 1, packetId: 1 })));
        await client.receive();
        const expected = identityFrom === "cn" ? refused : 1;
        assertEquals(dropped["publish-refused"], expected, `${identityFrom}: ${topic}`);
      }
    }
  },
  "listeners.certificate_clock": async () => {
    const { client } = await pki();
    const realNow = Date.now;
    // A machine without a battery, before its clock was set.
    Date.now = () => Date.UTC(1970, 0, 2);
    try {
      for (const certificateClock of ["strict", "grace"] as const) {
        await using broker = await mutual({ certificateClock });
        const letIn = await isLetIn(broker, { certificate: client });
        assertEquals(letIn, certificateClock === "grace");
      }
    } finally {
      Date.now = realNow;
    }
  },
};

/** The cases by path. */
export const tlsCases: KeyCases = { ...serverCases, ...clientCases, ...identityCases };

async function certificateBytes(files: IssuedFiles): Promise<Uint8Array<ArrayBuffer>> {
  const pem = await Deno.readTextFile(files.certificateFile);
  const lines = /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END/.exec(pem)![1]!;
  return Uint8Array.fromBase64(lines.replace(/\s/g, ""));
}
