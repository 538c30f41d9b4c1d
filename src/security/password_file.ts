/**
 * The password file: who may come in with which password. One user a line, `#` begins a comment
 * line, empty lines are left out:
 *
 *     alice:$relayq$pbkdf2-sha256$600000$SALT$HASH   PBKDF2-HMAC-SHA-256, what `relayq passwd` makes
 *     meter:$relayq$sha256$SALT$HASH                 SHA-256 of salt and password, for tiny devices
 *     bob:$7$101$SALT$HASH                           Mosquitto, PBKDF2-HMAC-SHA-512
 *     carol:$6$SALT$HASH                             Mosquitto, SHA-512 of password and salt
 *
 * SALT and HASH are base64. A user name holds no colon and no control character, and neither begins
 * with `#` nor begins or ends with a blank. A plain SHA-256 protects only long random passwords: who
 * gets hold of the file tries billions a second.
 *
 * Groups do not stand here but in the ACL file: only its rules know them, a client that comes with a
 * certificate has no line here, rules and groups change together at a reload, and the file stays one
 * that Mosquitto's tools can read.
 */
import { createHmac } from "node:crypto";
import { CONTROL_CHARACTER, Diagnostics, type ParsedFile } from "./file_diagnostic.ts";
import { atOnce, linesOf } from "./_in_slices.ts";
import { parsePasswordHash, type PasswordHash, passwordMatches } from "./password_hash.ts";

/** Most UTF-16 code units of a password file. */
export const PASSWORD_FILE_LENGTH_MAX = 16_777_216;
/** Most users of a password file. */
export const USERS_MAX = 100_000;
const LINE_LENGTH_MAX = 2_048;
const LINES_PER_STEP = 64;
const USER_NAME_LENGTH_MAX = 1_024;

/** Chooses decoys; of this process, so that nobody outside can tell which name gets which. */
const DECOY_KEY = crypto.getRandomValues(new Uint8Array(32));

/** A password file that has been read; never changes. */
export class PasswordFile {
  readonly #users: ReadonlyMap<string, PasswordHash>;
  /** The hashes, the cheapest to check first. */
  readonly #byCost: readonly PasswordHash[];

  private constructor(users: ReadonlyMap<string, PasswordHash>) {
    this.#users = users;
    this.#byCost = [...users.values()].sort((a, b) => a.iterations - b.iterations);
  }

  /** Reads the text of a file. One mistake refuses all of it: a broken line is not "no such user". */
  static parse(text: string): ParsedFile<PasswordFile> {
    return atOnce(PasswordFile.reading(text));
  }

  /** The same in steps: a hundred thousand users take half a second. */
  static *reading(text: string): Generator<void, ParsedFile<PasswordFile>> {
    const diagnostics = new Diagnostics();
    const users = new Map<string, PasswordHash>();
    if (text.length > PASSWORD_FILE_LENGTH_MAX) {
      diagnostics.add(1, 1, `the file is longer than ${PASSWORD_FILE_LENGTH_MAX} characters`);
      return diagnostics.finish(new PasswordFile(users));
    }
    const lines = new Map<string, number>();
    let line = 0;
    for (const written of linesOf(text)) {
      if (++line % LINES_PER_STEP === 0) yield;
      if (users.size > USERS_MAX) {
        diagnostics.add(line, 1, `there are more than ${USERS_MAX} users`);
        break;
      }
      const userName = userNameOfLine(written);
      if (userName === null) continue;
      const content = withoutReturn(written);
      const fault = userName === undefined
        ? { offset: 0, fault: "there is no colon between user name and hash" }
        : lineFault(content, userName);
      const parsed = fault ?? parsePasswordHash(content.slice(userName!.length + 1));
      if ("fault" in parsed) {
        const offset = fault === null ? userName!.length + 1 + parsed.offset : parsed.offset;
        diagnostics.add(line, offset + 1, parsed.fault);
        continue;
      }
      const before = lines.get(userName!);
      if (before !== undefined) {
        diagnostics.add(line, 1, `the user stands in line ${before} already`);
        continue;
      }
      lines.set(userName!, line);
      users.set(userName!, parsed);
    }
    return diagnostics.finish(new PasswordFile(users));
  }

  /** How many users there are. */
  get size(): number {
    return this.#users.size;
  }

  /** Whether there is a user of this name; not to be asked on behalf of a client. */
  has(userName: string): boolean {
    return this.#users.has(userName);
  }

  /** The users with their hashes, in the order of the file. */
  get users(): ReadonlyMap<string, PasswordHash> {
    return this.#users;
  }

  /**
   * Whether this is the password of this user. Works beside the event loop. A name that is unknown
   * costs as much as one that is known: it is checked against a line of somebody else, which one
   * depends on the name alone. So even in a file of mixed costs the time tells nothing. `null`, no
   * password at all, is wrong for everybody.
   */
  async verify(userName: string, password: Uint8Array | null): Promise<boolean> {
    const decoy = this.#decoy(userName);
    const known = this.#users.get(userName);
    const wanted = known ?? decoy;
    if (wanted === undefined) return false;
    const matches = await passwordMatches(password ?? new Uint8Array(0), wanted);
    return matches && known !== undefined && password !== null;
  }

  #decoy(userName: string): PasswordHash | undefined {
    const digest = createHmac("sha256", DECOY_KEY).update(userName).digest();
    // By a share of the file and not by a remainder: a user more moves the decoys of few names.
    const share = digest.readUInt32BE(0) / 2 ** 32;
    return this.#byCost[Math.floor(share * this.#byCost.length)];
  }
}

/**
 * The user name of a line of the file: null in a line without a user, undefined where the colon is
 * missing.
 */
export function userNameOfLine(written: string): string | null | undefined {
  const line = withoutReturn(written);
  if (line.startsWith("#") || line.trim() === "") return null;
  const colon = line.indexOf(":");
  return colon < 0 ? undefined : line.slice(0, colon);
}

/** What is wrong with a name that is to stand in a password file, or null. */
export function userNameFault(userName: string): string | null {
  if (userName === "") return "the user name is empty";
  if (userName.length > USER_NAME_LENGTH_MAX) {
    return `the user name is longer than ${USER_NAME_LENGTH_MAX} characters`;
  }
  if (userName.includes(":")) return "the user name contains a colon";
  if (userName.startsWith("#")) return 'the user name begins with "#", as a comment does';
  if (userName !== userName.trim()) return "the user name begins or ends with a blank";
  if (CONTROL_CHARACTER.test(userName)) return "the user name contains a control character";
  return userName.isWellFormed() ? null : "the user name is not well-formed Unicode";
}

function lineFault(line: string, userName: string): { offset: number; fault: string } | null {
  if (line.length > LINE_LENGTH_MAX) {
    return { offset: LINE_LENGTH_MAX, fault: `the line is longer than ${LINE_LENGTH_MAX}` };
  }
  const fault = userNameFault(userName);
  return fault === null ? null : { offset: 0, fault };
}

/** A file that was edited on Windows has a carriage return before each line feed. */
function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
