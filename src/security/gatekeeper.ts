/** The files that say who may come in and do what: read at the start, and again when asked to. */
import { AccessRules } from "./access_rules.ts";
import { ACCESS_FILE_LENGTH_MAX } from "./_access_file_reader.ts";
import type { BanList } from "./ban_list.ts";
import type { ClientIdentity } from "./client_rules.ts";
import type { ParsedFile } from "./file_diagnostic.ts";
import { inSlices } from "./_in_slices.ts";
import { formatIpAddress, type IpAddress, maskIpAddress } from "./ip_address.ts";
import { PASSWORD_FILE_LENGTH_MAX, PasswordFile } from "./password_file.ts";
import { PasswordGate, type PasswordGateStatistics } from "./password_gate.ts";
import { isSameHash, type PasswordHash } from "./password_hash.ts";
import { PIN_FILE_LENGTH_MAX, PinFile, type ShownCertificate } from "./pin_file.ts";
import { readTextFile } from "./_read_file.ts";
import type { RuleTemplates } from "./rule_template.ts";
import {
  type PolicyClient,
  SecurityPolicy,
  type SecurityPolicyOptions,
} from "./security_policy.ts";

/** Where the files are, and how they are used. */
export interface SecuritySettings
  extends Pick<SecurityPolicyOptions, "anonymous" | "refusedPublish" | "identifiers" | "bans"> {
  /** Path of the password file; empty for none. */
  readonly passwordFile: string;
  /** Path of the access file; empty for none. */
  readonly accessFile: string;
  /** Path of the pin file; empty for none. */
  readonly pinFile: string;
  /** How long a password that was right needs no check; 0: it always does. */
  readonly loginMemoryMs: number;
  /** What `use` in it can name. */
  readonly templates: RuleTemplates;
}

/** CONNACK return codes. [MQTT-3.2.2-4] */
const SERVER_UNAVAILABLE = 3;
export const BAD_PASSWORD = 4;

/** Why a login was refused: what the client is told, and what the operator is besides. */
interface LoginRefusal {
  readonly returnCode: typeof SERVER_UNAVAILABLE | typeof BAD_PASSWORD;
  /** Null if the return code says all. */
  readonly reason: "unpinned" | null;
}

const BUSY: LoginRefusal = { returnCode: SERVER_UNAVAILABLE, reason: null };
const WRONG: LoginRefusal = { returnCode: BAD_PASSWORD, reason: null };
const UNPINNED: LoginRefusal = { returnCode: BAD_PASSWORD, reason: "unpinned" };

/** How the reading of one file went. */
export interface FileOutcome {
  /** What the file is, for people. */
  readonly name: string;
  /** Why it is not used, and what was read before is; null if it is. */
  readonly problem: string | null;
}

/** Why a client that was let in may not stay: its user is gone, or has another password or pin. */
export type Revocation = "revoked" | "passwordChanged" | "unpinned";

/** UTF-8 bytes of a UTF-16 code unit at most. */
const UTF8_BYTES_MAX = 3;

/** What the files say. */
interface SecurityFiles {
  passwords: PasswordFile | null;
  rules: AccessRules | null;
  pins: PinFile | null;
}

/** One of the files. */
interface SecurityFile {
  readonly name: string;
  readonly path: string;
  /** Takes what the file says, or says what is wrong with it. */
  read(): Promise<string | null>;
}

/** Lets clients in, and knows who they are. */
export class Gatekeeper {
  #settings: SecuritySettings;
  readonly #gate: PasswordGate;
  readonly #identities = new WeakMap<PolicyClient, ClientIdentity>();
  /** What the password of a client was checked against. */
  readonly #checked = new WeakMap<PolicyClient, PasswordHash>();
  readonly #shown = new WeakMap<PolicyClient, ShownCertificate>();
  #files: SecurityFiles = { passwords: null, rules: null, pins: null };
  #sources: readonly SecurityFile[];
  #generation = 1;
  #policy: SecurityPolicy;

  private constructor(settings: SecuritySettings) {
    this.#settings = settings;
    this.#gate = new PasswordGate({ memoryMs: settings.loginMemoryMs });
    this.#sources = this.#sourcesOf(settings);
    this.#policy = this.#makePolicy();
  }

  /** Reads the files, or says what is wrong with the first one that cannot be used. */
  static async open(settings: SecuritySettings): Promise<Gatekeeper | { problem: string }> {
    const gatekeeper = new Gatekeeper(settings);
    for (const { problem } of await gatekeeper.reload()) if (problem !== null) return { problem };
    return gatekeeper;
  }

  /**
   * Reads what other settings ask for, or says what is wrong with it; who calls what it gives puts it
   * in place, and has to ask for `policy` again. How long a login is remembered is as it was.
   */
  async prepare(settings: SecuritySettings): Promise<(() => void) | { problem: string }> {
    const next = await Gatekeeper.open(settings);
    if ("problem" in next) return next;
    return () => {
      this.#settings = { ...settings, loginMemoryMs: this.#settings.loginMemoryMs };
      this.#files = next.#files;
      this.#sources = this.#sourcesOf(settings);
      this.#gate.forget();
      this.#policy = this.#makePolicy();
    };
  }

  /** What decides at present. */
  get policy(): SecurityPolicy {
    return this.#policy;
  }

  /** Who is kept out. */
  get bans(): BanList {
    return this.#settings.bans;
  }

  /** Counters of the passwords. */
  get logins(): PasswordGateStatistics {
    return this.#gate.statistics;
  }

  /**
   * Reads the files again, or those of these paths. One with a mistake leaves what it is about as it
   * was. The event loop goes on meanwhile; not to be called again before it is done.
   */
  async reload(paths: ReadonlySet<string> | null = null): Promise<readonly FileOutcome[]> {
    const outcomes: FileOutcome[] = [];
    for (const source of this.#sources) {
      if (paths !== null && !paths.has(source.path)) continue;
      outcomes.push({ name: source.name, problem: await source.read() });
    }
    if (outcomes.some(({ problem }) => problem === null)) this.#policy = this.#makePolicy();
    return outcomes;
  }

  /**
   * Checks the password of a CONNECT; null lets it in. Whoever would need a pinned certificate that he
   * has not shown hears that his password is wrong, whether it is or not: nobody who cannot come in
   * can find out a password.
   */
  async verify(
    client: PolicyClient & { readonly closed: boolean },
    packet: { readonly userName: string | null; readonly password: Uint8Array | null },
    address: IpAddress | null = null,
  ): Promise<LoginRefusal | null> {
    const { passwords } = this.#files;
    const { userName, password } = packet;
    if (passwords === null || userName === null) return null;
    const isUnpinned = !this.#fitsPins(client, userName);
    const before = passwords.users.get(userName);
    const attempt = {
      source: sourceOf(address),
      isGone: () => client.closed,
      isHopeless: isUnpinned,
    };
    const verdict = await this.#gate.verify(passwords, { userName, password }, attempt);
    if (verdict === "busy" || verdict === "gone") return BUSY;
    if (isUnpinned) return UNPINNED;
    // The file may have been replaced meanwhile: what it says now counts.
    const now = this.#files.passwords?.users.get(userName);
    const stands = before !== undefined && now !== undefined && isSameHash(before, now);
    if (verdict === "wrong" || !stands) return WRONG;
    const { clientIdentifier } = client;
    this.#identities.set(client, { userName, clientIdentifier, certificate: null });
    this.#checked.set(client, now);
    return null;
  }

  /** The client has shown a certificate that was accepted: it is who that says. */
  certified(client: PolicyClient, shown: ShownCertificate & { readonly identity: string }): void {
    const { clientIdentifier } = client;
    const { identity } = shown;
    this.#shown.set(client, shown);
    this.#identities.set(client, { userName: identity, clientIdentifier, certificate: identity });
  }

  /** Who a client was found to be; null for those who did not have to say. */
  identityOf(client: PolicyClient): ClientIdentity | null {
    return this.#identities.get(client) ?? null;
  }

  /** Why a client that was let in would not be any more; null if it would. */
  revocationOf(client: PolicyClient): Revocation | null {
    const { passwords } = this.#files;
    const identity = this.#identities.get(client);
    const checked = this.#checked.get(client);
    if (checked !== undefined && identity !== undefined) {
      const now = passwords?.users.get(identity.userName!);
      if (now === undefined) return "revoked";
      if (!isSameHash(now, checked)) return "passwordChanged";
      this.#checked.set(client, now); // so that the file of before need not be kept
    }
    return this.#fitsPins(client, identity?.userName ?? null) ? null : "unpinned";
  }

  #fitsPins(client: PolicyClient, userName: string | null): boolean {
    const { pins } = this.#files;
    const { clientIdentifier } = client;
    return pins === null ||
      pins.permits({ userName, clientIdentifier }, this.#shown.get(client) ?? null);
  }

  #sourcesOf(
    { passwordFile, accessFile, pinFile, templates }: SecuritySettings,
  ): readonly SecurityFile[] {
    const files = this.#files;
    const sources: SecurityFile[] = [{
      name: "passwords",
      path: passwordFile,
      read: async () => {
        const read = await readText(passwordFile, PASSWORD_FILE_LENGTH_MAX, PasswordFile.reading);
        if ("problem" in read) return read.problem;
        files.passwords = read.value;
        this.#gate.forget();
        return null;
      },
    }, {
      name: "access rules",
      path: accessFile,
      read: async () => {
        const read = await readText(
          accessFile,
          ACCESS_FILE_LENGTH_MAX,
          (text) => AccessRules.reading(text, { templates }),
        );
        if ("problem" in read) return read.problem;
        files.rules = read.value;
        return null;
      },
    }, {
      name: "pins",
      path: pinFile,
      read: async () => {
        const read = await readText(pinFile, PIN_FILE_LENGTH_MAX, PinFile.reading);
        if ("problem" in read) return read.problem;
        files.pins = read.value;
        return null;
      },
    }];
    return sources.filter(({ path }) => path !== "");
  }

  #makePolicy(): SecurityPolicy {
    const { anonymous, refusedPublish, identifiers, bans, passwordFile } = this.#settings;
    const { rules, pins } = this.#files;
    const generation = ++this.#generation;
    const passwords = passwordFile !== "";
    const options = {
      ...{ rules, pins, bans, anonymous, refusedPublish, identifiers },
      ...{ generation, passwords },
    };
    return new SecurityPolicy(options, { identities: this.#identities, shown: this.#shown });
  }
}

/** What one attacker has as many addresses in as he likes counts as one address. */
function sourceOf(address: IpAddress | null): string {
  if (address === null) return "";
  if (address.version === 4) return formatIpAddress(address);
  return formatIpAddress(maskIpAddress(address, { prefix: 64, fill: 0 }));
}

async function readText<T>(
  path: string,
  lengthMax: number,
  reading: (text: string) => Generator<void, ParsedFile<T>>,
): Promise<{ value: T } | { problem: string }> {
  let text: string;
  try {
    text = await readTextFile(path, lengthMax * UTF8_BYTES_MAX);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `${path}: ${reason}` };
  }
  const parsed = await inSlices(reading(text));
  if (parsed.ok) return parsed;
  const [first, ...more] = parsed.diagnostics;
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return { problem: `${path}:${first!.line}:${first!.column}: ${first!.message}${rest}` };
}
