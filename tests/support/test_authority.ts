/** Certification authorities for tests, made by the `openssl` command in a temporary directory. */

/** Whether the `openssl` command is installed; tests that need it are ignored where it is not. */
export const OPENSSL: boolean = await hasOpenssl();

/** Named beside the tests that need it, so that a skipped test tells why. */
export const NEEDS_OPENSSL = OPENSSL ? "" : " (skipped: the openssl command is not installed)";

/** What a certificate should be like; by default a client's, valid from yesterday for a month. */
export interface CertificateOptions {
  readonly subject?: string;
  /** Lines of an extension file. */
  readonly extensions?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** The key of another certificate, in place of a new one. */
  readonly keyFile?: string;
  /** Arguments for a new key. */
  readonly newKey?: readonly string[];
  /** An X.509 version 1 certificate, without extensions. */
  readonly version1?: boolean;
}

/** A certificate and its key in files. */
export interface IssuedFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Extensions of certificates that may issue others. */
export const CA_EXTENSIONS = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid:always",
];
/** Extensions of client certificates. */
export const CLIENT_EXTENSIONS = [
  "basicConstraints=CA:FALSE",
  "extendedKeyUsage=clientAuth",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid:always",
];
/** Extensions of a server certificate for 127.0.0.1. */
export const SERVER_EXTENSIONS = ["subjectAltName=DNS:localhost,IP:127.0.0.1"];
export const DAY_MS = 86_400_000;
const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** A moment some days from now; negative for the past. */
export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

/** A new temporary directory that is removed when the tests of the module are through. */
export function temporaryDirectory(): string {
  const directory = Deno.makeTempDirSync({ prefix: "relayq-tls-" });
  addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  return directory;
}

/** One authority with its records. */
export class TestAuthority implements IssuedFiles {
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  #count = 0;

  private constructor(directory: string, files: IssuedFiles) {
    this.directory = directory;
    this.certificateFile = files.certificateFile;
    this.keyFile = files.keyFile;
  }

  /** A root of its own. */
  static async root(directory: string, name: string): Promise<TestAuthority> {
    const home = `${directory}/${name}`;
    await prepare(home);
    const files = { certificateFile: `${home}/ca.pem`, keyFile: `${home}/ca.key` };
    const config = `${home}/ca.cnf`;
    await openssl(
      ["req", "-x509", ...P256, "-nodes", "-keyout", files.keyFile, "-out", files.certificateFile]
        .concat(["-subj", `/O=RelayQ tests/CN=${name}`, "-days", "365", "-config", config])
        .concat(["-extensions", "v3_ca"]),
    );
    return new TestAuthority(home, files);
  }

  /** An authority below this one. */
  async subordinate(name: string, options: CertificateOptions = {}): Promise<TestAuthority> {
    const home = `${this.directory}/${name}`;
    await prepare(home);
    const subject = `/O=RelayQ tests/CN=${name}`;
    const files = await this.issue({ subject, extensions: CA_EXTENSIONS, ...options });
    return new TestAuthority(home, files);
  }

  /** Issues a certificate. */
  async issue(options: CertificateOptions = {}): Promise<IssuedFiles> {
    const base = `${this.directory}/${++this.#count}`;
    const files = {
      certificateFile: `${base}.pem`,
      keyFile: options.keyFile ?? `${base}.key`,
    };
    const key = options.keyFile === undefined
      ? [...options.newKey ?? P256, "-nodes", "-keyout", files.keyFile]
      : ["-new", "-key", options.keyFile];
    await openssl(["req", ...key, "-out", `${base}.csr`, "-subj", options.subject ?? "/CN=client"]);
    if (options.version1) {
      await openssl(
        ["x509", "-req", "-in", `${base}.csr`, "-CA", this.certificateFile, "-CAkey", this.keyFile]
          .concat(["-set_serial", `${this.#count}`, "-days", "20", "-out", files.certificateFile]),
      );
      return files;
    }
    await Deno.writeTextFile(
      `${base}.ext`,
      (options.extensions ?? CLIENT_EXTENSIONS).join("\n"),
    );
    await this.#ca(
      ["-in", `${base}.csr`, "-out", files.certificateFile, "-extfile", `${base}.ext`].concat([
        "-startdate",
        stamp(options.notBefore ?? daysFromNow(-1)),
        "-enddate",
        stamp(options.notAfter ?? daysFromNow(30)),
      ]),
    );
    return files;
  }

  /** Notes a certificate as revoked; the next CRL has it. */
  async revoke({ certificateFile }: IssuedFiles): Promise<void> {
    await this.#ca(["-revoke", certificateFile]);
  }

  /** Writes the present CRL; `section` names extensions of the configuration. */
  async crl(
    { thisUpdate = daysFromNow(-1), nextUpdate = daysFromNow(7), section = "crl_ext" } = {},
  ): Promise<string> {
    const file = `${this.directory}/${++this.#count}.crl`;
    await this.#ca(
      ["-gencrl", "-out", file, "-crlexts", section].concat([
        "-crl_lastupdate",
        stamp(thisUpdate),
        "-crl_nextupdate",
        stamp(nextUpdate),
      ]),
    );
    return file;
  }

  /** Puts `count` revoked serial numbers into the records. */
  async revokeMany(count: number): Promise<void> {
    const lines: string[] = [];
    for (let i = 0; i < count; i++) {
      const serial = (0x10000000 + i).toString(16).toUpperCase();
      lines.push(`R\t271231235959Z\t260101000000Z,keyCompromise\t${serial}\tunknown\t/CN=${i}`);
    }
    await Deno.writeTextFile(`${this.directory}/index.txt`, lines.join("\n") + "\n", {
      append: true,
    });
  }

  async #ca(args: readonly string[]): Promise<void> {
    await openssl(
      ["ca", "-batch", "-notext", "-config", `${this.directory}/ca.cnf`]
        .concat(["-cert", this.certificateFile, "-keyfile", this.keyFile], args),
    );
  }
}

/** Runs `openssl`; gives what it writes to standard output. */
export async function openssl(args: readonly string[]): Promise<Uint8Array> {
  const command = new Deno.Command("openssl", { args: [...args], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (success) return stdout;
  throw new Error(`Cannot run openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * The key file of a thief: public part of `victim`, so that every tool takes it for the key of that
 * certificate, private part of somebody else. What it signs does not verify.
 */
export async function forgedKey(victim: IssuedFiles, other: IssuedFiles): Promise<IssuedFiles> {
  const der = await openssl(["ec", "-in", victim.keyFile, "-outform", "DER"]);
  const scalar = await openssl(["ec", "-in", other.keyFile, "-outform", "DER"]);
  // ECPrivateKey of P-256, RFC 5915: 30 77 02 01 01 04 20, then 32 bytes of the private scalar.
  der.set(scalar.subarray(7, 39), 7);
  const keyFile = `${other.keyFile}.forged`;
  const lines = der.toBase64().match(/.{1,64}/g)!.join("\n");
  await Deno.writeTextFile(
    keyFile,
    `-----BEGIN EC PRIVATE KEY-----\n${lines}\n-----END EC PRIVATE KEY-----\n`,
  );
  return { certificateFile: victim.certificateFile, keyFile };
}

async function prepare(home: string): Promise<void> {
  await Deno.mkdir(home);
  await Deno.writeTextFile(`${home}/index.txt`, "");
  await Deno.writeTextFile(`${home}/index.txt.attr`, "unique_subject = no\n");
  await Deno.writeTextFile(`${home}/serial`, "8001\n");
  await Deno.writeTextFile(`${home}/crlnumber`, "01\n");
  await Deno.writeTextFile(`${home}/ca.cnf`, configuration(home));
}

function configuration(home: string): string {
  return `[ca]
default_ca = here
[here]
database = ${home}/index.txt
new_certs_dir = ${home}
serial = ${home}/serial
crlnumber = ${home}/crlnumber
default_md = sha256
policy = any
[any]
commonName = optional
organizationName = optional
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[v3_ca]
${CA_EXTENSIONS.join("\n")}
[crl_ext]
authorityKeyIdentifier = keyid:always
[delta]
authorityKeyIdentifier = keyid:always
2.5.29.27 = critical,ASN1:INTEGER:1
[indirect]
issuingDistributionPoint = critical,@indirect_point
[indirect_point]
indirectCRL = TRUE
[part]
issuingDistributionPoint = critical,@part_point
[part_point]
fullname = URI:http://127.0.0.1/part.crl
onlyuser = TRUE
[reasons]
issuingDistributionPoint = critical,@reasons_point
[reasons_point]
onlysomereasons = keyCompromise
[unknown]
1.2.3.4.5 = critical,ASN1:NULL
`;
}

function stamp(date: Date): string {
  return date.toISOString().replace(/[-:T]/g, "").replace(/\.\d+/, "");
}

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    return false;
  }
}
