/**
 * The matrix of TLS: who gets in, by the versions of both sides, what the listener asks for, and the
 * state of the certificate that the client shows. The tables say what must come of it.
 */
import type { ListenerConfig } from "../../src/config/mod.ts";
import {
  CLIENT_EXTENSIONS,
  daysFromNow,
  type IssuedFiles,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "./test_authority.ts";

/** User name of whoever shows one of the certificates. */
export const IDENTITY = "pump";

/** Let in without an identity, let in by the certificate, or refused for this cause. */
export type TlsCellOutcome = "anonymous" | typeof IDENTITY | { readonly refused: string };

type Mode = ListenerConfig["clientCertificates"];

const MODES: readonly Mode[] = ["none", "optional", "required"];

/** What comes of a certificate where the versions agree, in the order of `MODES`. */
const OUTCOMES = {
  "no certificate": ["anonymous", "anonymous", refused("absent")],
  "a valid certificate": ["anonymous", IDENTITY, IDENTITY],
  "an expired certificate": ["anonymous", refused("expired"), refused("expired")],
  "a certificate that is not yet valid": [
    "anonymous",
    refused("notYetValid"),
    refused("notYetValid"),
  ],
  "a certificate of another CA": ["anonymous", refused("untrusted"), refused("untrusted")],
  "a certificate signed by itself": ["anonymous", refused("untrusted"), refused("untrusted")],
  "a certificate of a CA with the name of ours": [
    "anonymous",
    refused("untrusted"),
    refused("untrusted"),
  ],
  "a revoked certificate": ["anonymous", refused("revoked"), refused("revoked")],
  "a certificate that is not pinned": ["anonymous", refused("unpinned"), refused("unpinned")],
  "a certificate for servers only": ["anonymous", refused("usage"), refused("usage")],
  "a certificate of X.509 version 1": ["anonymous", refused("malformed"), refused("malformed")],
  "a certificate without a name": ["anonymous", refused("noIdentity"), refused("noIdentity")],
} as const satisfies Readonly<Record<string, readonly TlsCellOutcome[]>>;

/** What a client shows. */
export type CertificateState = keyof typeof OUTCOMES;

/** Which versions the two sides speak, and whether they can agree. */
const VERSIONS = [
  { client: "1.2", listenerMin: "1.2", agree: true },
  { client: "1.3", listenerMin: "1.2", agree: true },
  { client: "1.3", listenerMin: "1.3", agree: true },
  { client: "1.2", listenerMin: "1.3", agree: false },
] as const;

/** One case. */
export interface TlsCell {
  readonly name: string;
  readonly mode: Mode;
  readonly state: CertificateState;
  readonly clientVersion: "1.2" | "1.3";
  readonly listenerMin: "1.2" | "1.3";
  readonly outcome: TlsCellOutcome;
}

/** Every case. */
export const TLS_CELLS: readonly TlsCell[] = VERSIONS.flatMap(cellsOfVersions);

/** What the cases are made of: an authority, its CRL, a server, and a certificate for each state. */
export interface TlsCellFiles {
  readonly authorityFile: string;
  readonly crlFile: string;
  readonly server: IssuedFiles;
  /** As the configuration has them: all certificates but one. */
  readonly pins: string;
  readonly clients: Readonly<Record<Exclude<CertificateState, "no certificate">, IssuedFiles>>;
}

/** Makes the files, with `openssl`. */
export async function makeTlsCellFiles(): Promise<TlsCellFiles> {
  const directory = temporaryDirectory();
  const root = await TestAuthority.root(directory, "root");
  const other = await TestAuthority.root(directory, "other");
  const impostor = await TestAuthority.root(temporaryDirectory(), "root");
  const self = await TestAuthority.root(directory, IDENTITY);
  const subject = `/CN=${IDENTITY}`;
  const forServers = CLIENT_EXTENSIONS.map((line) => line.replace("clientAuth", "serverAuth"));
  // Nothing but its signature tells that another key has issued it.
  const unmarked = [...CLIENT_EXTENSIONS.slice(0, -1), "authorityKeyIdentifier=none"];
  const clients: TlsCellFiles["clients"] = {
    "a valid certificate": await root.issue({ subject }),
    "an expired certificate": await root.issue({
      subject,
      notBefore: daysFromNow(-9),
      notAfter: daysFromNow(-1),
    }),
    "a certificate that is not yet valid": await root.issue({ subject, notBefore: daysFromNow(1) }),
    "a certificate of another CA": await other.issue({ subject }),
    "a certificate signed by itself": self,
    "a certificate of a CA with the name of ours": await impostor.issue({
      subject,
      extensions: unmarked,
    }),
    "a revoked certificate": await root.issue({ subject }),
    "a certificate that is not pinned": await root.issue({ subject }),
    "a certificate for servers only": await root.issue({ subject, extensions: forServers }),
    "a certificate of X.509 version 1": await root.issue({ subject, version1: true }),
    "a certificate without a name": await root.issue({ subject: `/O=${IDENTITY}` }),
  };
  await root.revoke(clients["a revoked certificate"]);
  const { "a certificate that is not pinned": _, ...pinned } = clients;
  return {
    authorityFile: root.certificateFile,
    crlFile: await root.crl(),
    server: await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS }),
    pins: (await Promise.all(Object.values(pinned).map(pinOf))).join(" "),
    clients,
  };
}

/** The listener of a case. */
export function listenerOf(cell: TlsCell, files: TlsCellFiles): Partial<ListenerConfig> {
  const tls = { ...files.server, tlsVersionMin: cell.listenerMin };
  // The configuration knows no authorities where nobody is asked.
  if (cell.mode === "none") return tls;
  const { authorityFile: caFile, crlFile, pins: certificatePins } = files;
  return { ...tls, clientCertificates: cell.mode, caFile, crlFile, certificatePins };
}

/** What the client of a case shows. */
export function certificateOf(cell: TlsCell, files: TlsCellFiles): IssuedFiles | undefined {
  return cell.state === "no certificate" ? undefined : files.clients[cell.state];
}

function refused(cause: string): { readonly refused: string } {
  return { refused: cause };
}

function cellsOfVersions(versions: (typeof VERSIONS)[number]): readonly TlsCell[] {
  const { client: clientVersion, listenerMin, agree } = versions;
  const states = Object.keys(OUTCOMES) as CertificateState[];
  return MODES.flatMap((mode, column) =>
    states.map((state) => {
      const outcome = agree ? OUTCOMES[state][column]! : refused("handshake");
      const verdict = typeof outcome === "object"
        ? `refused, ${outcome.refused}`
        : `let in as ${outcome}`;
      const sides = `TLS ${clientVersion} client, listener from ${listenerMin} (${mode})`;
      const name = `${sides}, ${state}: ${verdict}`;
      return { name, mode, state, clientVersion, listenerMin, outcome };
    })
  );
}

async function pinOf({ certificateFile }: IssuedFiles): Promise<string> {
  const pem = await Deno.readTextFile(certificateFile);
  const der = Uint8Array.fromBase64(pem.replaceAll(/-----[^-]+-----|\s/g, ""));
  return `sha256/${new Uint8Array(await crypto.subtle.digest("SHA-256", der)).toHex()}`;
}
