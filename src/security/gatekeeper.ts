/** The files that say who may come in and do what: read at the start, and again when asked to. */
import { AccessRules } from "./access_rules.ts";
import type { ClientIdentity } from "./client_rules.ts";
import type { ParsedFile } from "./file_diagnostic.ts";
import { PasswordFile } from "./password_file.ts";
import { PasswordGate } from "./password_gate.ts";
import {
  type PolicyClient,
  SecurityPolicy,
  type SecurityPolicyOptions,
} from "./security_policy.ts";

/** Where the files are, and how they are used. */
export interface SecuritySettings
  extends Pick<SecurityPolicyOptions, "anonymous" | "refusedPublish"> {
  /** Path of the password file; empty for none. */
  readonly passwordFile: string;
  /** Path of the access file; empty for none. */
  readonly accessFile: string;
}

/** CONNACK return codes. [MQTT-3.2.2-4] */
export const SERVER_UNAVAILABLE = 3;
export const BAD_PASSWORD = 4;

/** What the files say. */
interface SecurityFiles {
  readonly passwords: PasswordFile | null;
  readonly rules: AccessRules | null;
}

/** Lets clients in, and knows who they are. */
export class Gatekeeper {
  readonly #settings: SecuritySettings;
  readonly #gate = new PasswordGate();
  readonly #identities = new WeakMap<PolicyClient, ClientIdentity>();
  #files: SecurityFiles;
  #generation = 1;
  #policy: SecurityPolicy;

  private constructor(settings: SecuritySettings, files: SecurityFiles) {
    this.#settings = settings;
    this.#files = files;
    this.#policy = this.#makePolicy();
  }

  /** Reads the files, or says what is wrong with them. */
  static open(settings: SecuritySettings): Gatekeeper | { problem: string } {
    const files = readFiles(settings);
    return "problem" in files ? files : new Gatekeeper(settings, files);
  }

  /** What decides at present. */
  get policy(): SecurityPolicy {
    return this.#policy;
  }

  /** Reads the files again. What is wrong with one of them is given, and all stays as it was. */
  reload(): { problem: string } | null {
    const files = readFiles(this.#settings);
    if ("problem" in files) return files;
    this.#files = files;
    this.#policy = this.#makePolicy();
    return null;
  }

  /** Checks the password of a CONNECT; gives the return code of the CONNACK, null to let it in. */
  async verify(
    client: PolicyClient & { readonly closed: boolean },
    packet: { readonly userName: string | null; readonly password: Uint8Array | null },
  ): Promise<typeof SERVER_UNAVAILABLE | typeof BAD_PASSWORD | null> {
    const { passwords } = this.#files;
    const { userName, password } = packet;
    if (passwords === null || userName === null) return null;
    const credentials = { userName, password };
    const verdict = await this.#gate.verify(passwords, credentials, () => client.closed);
    if (verdict === "busy" || verdict === "gone") return SERVER_UNAVAILABLE;
    // The file may have been replaced meanwhile: what it says now counts.
    const stands = this.#files.passwords?.agrees(passwords, userName) === true;
    if (verdict === "wrong" || !stands) return BAD_PASSWORD;
    const { clientIdentifier } = client;
    this.#identities.set(client, { userName, clientIdentifier, certificate: null });
    return null;
  }

  /** The client has shown a certificate that was accepted: it is who that says. */
  certified(client: PolicyClient, identity: string): void {
    const { clientIdentifier } = client;
    this.#identities.set(client, { userName: identity, clientIdentifier, certificate: identity });
  }

  /** Whether a client that was let in would not be any more: its user is gone. */
  isRevoked(client: PolicyClient): boolean {
    const identity = this.#identities.get(client);
    if (identity === undefined || identity.certificate !== null) return false;
    const { userName } = identity;
    return userName !== null && this.#files.passwords?.has(userName) === false;
  }

  #makePolicy(): SecurityPolicy {
    const { anonymous, refusedPublish } = this.#settings;
    const { rules, passwords } = this.#files;
    const generation = ++this.#generation;
    const options = { rules, anonymous, refusedPublish, generation };
    return new SecurityPolicy({ ...options, passwords: passwords !== null }, this.#identities);
  }
}

function readFiles({ passwordFile, accessFile }: SecuritySettings): SecurityFiles | {
  problem: string;
} {
  const passwords = readFile(passwordFile, (text) => PasswordFile.parse(text));
  if (passwords !== null && "problem" in passwords) return passwords;
  const rules = readFile(accessFile, (text) => AccessRules.parse(text));
  if (rules !== null && "problem" in rules) return rules;
  return { passwords: passwords?.value ?? null, rules: rules?.value ?? null };
}

function readFile<T>(
  path: string,
  parse: (text: string) => ParsedFile<T>,
): { value: T } | { problem: string } | null {
  if (path === "") return null;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `${path}: ${reason}` };
  }
  const parsed = parse(text);
  if (parsed.ok) return parsed;
  const [first, ...more] = parsed.diagnostics;
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return { problem: `${path}:${first!.line}:${first!.column}: ${first!.message}${rest}` };
}
