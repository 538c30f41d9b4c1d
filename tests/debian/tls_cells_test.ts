/** Cells of the matrix of TLS with clients that have nothing of ours: OpenSSL's and mosquitto's. */
import { assertEquals, assertMatch } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import {
  certificateOf,
  type CertificateState,
  IDENTITY,
  listenerOf,
  makeTlsCellFiles,
  TLS_CELLS,
  type TlsCell,
  type TlsCellFiles,
} from "../support/tls_cells.ts";
import { concatenate, connectPacket } from "../support/wire_client.ts";

/**
 * What mosquitto_pub is tried with, at TLS 1.3, for it takes a version as the lowest one. OpenSSL
 * tries everything.
 */
const MOSQUITTO_STATES: readonly CertificateState[] = [
  "no certificate",
  "a valid certificate",
  "an expired certificate",
  "a certificate of another CA",
  "a revoked certificate",
];

let files: Promise<TlsCellFiles> | null = null;

for (const cell of TLS_CELLS) {
  Deno.test(`openssl s_client, ${cell.name}`, () => tryCell(cell, tryOpenssl));
  if (cell.clientVersion !== "1.3" || !MOSQUITTO_STATES.includes(cell.state)) continue;
  Deno.test(`mosquitto_pub, ${cell.name}`, () => tryCell(cell, tryMosquitto));
}

/** One attempt; tells whether the client was served. */
type Attempt = (
  port: number,
  of: { readonly cell: TlsCell; readonly files: TlsCellFiles },
) => Promise<boolean>;

async function tryCell(cell: TlsCell, attempt: Attempt): Promise<void> {
  const made = await (files ??= makeTlsCellFiles());
  await using broker = await TestBroker.start(
    { store: { kind: "memory" } },
    { listener: listenerOf(cell, made) },
  );
  const served = await attempt(broker.port, { cell, files: made });
  assertEquals(served, typeof cell.outcome === "string");
  const log = broker.log.join("");
  if (typeof cell.outcome === "object") {
    assertMatch(log, new RegExp(`refused: address=.*\\bcause=${cell.outcome.refused} `));
  } else assertEquals(log.includes(`identity="${IDENTITY}"`), cell.outcome === IDENTITY);
}

/** CONNECT, PINGREQ and DISCONNECT through a tunnel that knows nothing of MQTT. */
async function tryOpenssl(
  port: number,
  { cell, files }: { cell: TlsCell; files: TlsCellFiles },
): Promise<boolean> {
  const shown = certificateOf(cell, files);
  const own = shown === undefined ? [] : ["-cert", shown.certificateFile, "-key", shown.keyFile];
  const client = new Deno.Command("openssl", {
    args: ["s_client", "-quiet", "-connect", `127.0.0.1:${port}`]
      .concat(["-CAfile", files.authorityFile, "-verify_return_error"])
      .concat([cell.clientVersion === "1.2" ? "-tls1_2" : "-tls1_3", ...own]),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const packets = concatenate([
    encodePacket(connectPacket({ clientIdentifier: "s_client" })),
    encodePacket({ type: "PINGREQ" }),
    encodePacket({ type: "DISCONNECT" }),
  ]);
  const writer = client.stdin.getWriter();
  await writer.write(packets).then(() => writer.close()).catch(() => {}); // It may have ended.
  const { stdout } = await client.output();
  const answer = [...stdout];
  const served = answer.length > 0;
  assertEquals(answer, served ? [0x20, 2, 0, 0, 0xd0, 0] : []);
  return served;
}

async function tryMosquitto(
  port: number,
  { cell, files }: { cell: TlsCell; files: TlsCellFiles },
): Promise<boolean> {
  const shown = certificateOf(cell, files);
  const own = shown === undefined ? [] : ["--cert", shown.certificateFile, "--key", shown.keyFile];
  const { code } = await new Deno.Command("mosquitto_pub", {
    args: ["-h", "127.0.0.1", "-p", String(port), "--cafile", files.authorityFile, ...own]
      .concat(["--tls-version", "tlsv1.3", "-t", "t", "-m", "m", "-q", "1"]),
    stdout: "null",
    stderr: "null",
  }).output();
  return code === 0;
}
