/** TLS versions × certificate states × what a listener asks for, over real sockets. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import {
  daysFromNow,
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TlsBroker } from "../support/tls_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { connectPacket } from "../support/wire_client.ts";
import { CRYPTO, derOf, parsed } from "../security/_judge.ts";

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const MODES = ["none", "optional", "required"] as const;
/** What each state comes to where a certificate is asked for; null: it depends on the mode. */
const STATES = {
  valid: "pump",
  expired: "expired",
  notYetValid: "notYetValid",
  wrongCa: "untrusted",
  revoked: "revoked",
  unpinned: "unpinned",
  version1: "malformed",
  absent: null,
} as const;

type State = keyof typeof STATES;

/** One authority, a server, and a certificate for each state. */
async function makeCertificates() {
  const directory = temporaryDirectory();
  const root = await TestAuthority.root(directory, "root");
  const other = await TestAuthority.root(directory, "other");
  const server = await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS });
  const subject = "/CN=pump";
  const states: Readonly<Record<Exclude<State, "absent">, IssuedFiles>> = {
    valid: await root.issue({ subject }),
    expired: await root.issue({ subject, notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }),
    notYetValid: await root.issue({ subject, notBefore: daysFromNow(1) }),
    wrongCa: await other.issue({ subject }),
    revoked: await root.issue({ subject }),
    unpinned: await root.issue({ subject }),
    version1: await root.issue({ subject, version1: true }),
  };
  await root.revoke(states.revoked);
  const pinned = [states.valid, states.expired, states.notYetValid, states.wrongCa, states.revoked];
  const pins = derOf(...pinned).map((der) => `sha256/${CRYPTO.sha256(parsed(der).spki).toHex()}`);
  return { root, server, states, pins, crl: await root.crl() };
}

Deno.test({
  name: "who gets in: TLS 1.2 and 1.3 × states of certificates × modes" + NEEDS_OPENSSL,
  ignore: !OPENSSL,
  fn: async (test) => {
    const { root, server, states, pins, crl } = await makeCertificates();
    for (const mode of MODES) {
      await using broker = await TlsBroker.start({
        ...server,
        caFile: root.certificateFile,
        crlFiles: [crl],
        pins,
        policy: { clientCertificate: mode },
      });
      for (const version of VERSIONS) {
        for (const state of Object.keys(STATES) as State[]) {
          await test.step(`${mode}, ${version}, ${state}`, async () => {
            const certificate = state === "absent" ? undefined : states[state];
            const seen = await attempt(broker, { version, certificate });
            assertEquals(seen, expected(mode, state));
          });
        }
      }
    }
  },
});

function expected(mode: (typeof MODES)[number], state: State): string {
  if (mode === "none") return "CONNACK as nobody";
  const outcome = STATES[state];
  if (outcome === null) return mode === "optional" ? "CONNACK as nobody" : "refused: absent";
  return outcome === "pump" ? "CONNACK as pump" : `refused: ${outcome}`;
}

/** Connects and sends a CONNECT; tells what both sides saw. */
async function attempt(
  broker: TlsBroker,
  { version, certificate }: {
    version: (typeof VERSIONS)[number];
    certificate: IssuedFiles | undefined;
  },
): Promise<string> {
  const before = broker.established.length + broker.refused.length;
  const connections = [...broker.broker.connections()].length;
  using client = await TlsClient.connect({
    port: broker.port,
    version,
    ...(certificate === undefined ? {} : { certificate }),
  });
  client.socket.write(encodePacket(connectPacket({ clientIdentifier: "pump" })));
  await broker.settled(before + 1);
  const answer = await client.receive();
  if (answer === null) {
    assertLessOrEqual([...broker.broker.connections()].length, connections);
    return `refused: ${broker.refused.at(-1)?.cause}`;
  }
  const passed = broker.established.at(-1);
  assertEquals(passed?.version, version);
  assertEquals(answer[0], 0x20); // CONNACK
  passed?.stream.close();
  return `CONNACK as ${passed?.certificate?.identity ?? "nobody"}`;
}

Deno.test({
  name: "a listener that asks for TLS 1.3 refuses TLS 1.2" + NEEDS_OPENSSL,
  ignore: !OPENSSL,
  fn: async () => {
    const root = await TestAuthority.root(temporaryDirectory(), "root");
    const server = await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS });
    const settings = { minVersion: "TLSv1.3" } as const;
    await using broker = await TlsBroker.start({ ...server, settings });
    assertEquals(
      await attempt(broker, { version: "TLSv1.3", certificate: undefined }),
      "CONNACK as nobody",
    );
    assertEquals(
      await attempt(broker, { version: "TLSv1.2", certificate: undefined }),
      "refused: handshake",
    );
  },
});
