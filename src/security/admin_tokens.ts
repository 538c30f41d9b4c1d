/**
 * The tokens file: who may use the admin API, and for what. One line for each token or certificate:
 *
 *     # Lines that begin with # are comments.
 *     scada:read:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *     cert:ops.plant.example:admin
 *
 * `relayq admin token` makes such a line. The hash is the SHA-256 of the token, which has 256 random
 * bits: nobody guesses it, and no salt is needed. One name may have several tokens, the old and the new
 * one while it is replaced. A `cert` line names a client certificate by its identity.
 */
import { timingSafeEqual } from "node:crypto";
import { readTextFile } from "./_read_file.ts";
import { CONTROL_CHARACTER, Diagnostics, type ParsedFile } from "./file_diagnostic.ts";

/** What somebody may do; each role includes those before it. */
export const ROLES = ["read", "operate", "admin"] as const;

/** One of them. */
export type Role = typeof ROLES[number];

/** Most UTF-16 code units of a tokens file. */
export const ADMIN_TOKENS_LENGTH_MAX = 262_144;
/** Every one of them is compared for every request. */
const TOKENS_MAX = 256;
const CERTIFICATES_MAX = 1_024;
const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const HASH = /^[0-9a-fA-F]{64}$/;
/** Nothing for others, nothing but reading for the group. */
const FORBIDDEN_MODE = 0o027;

/** Whom a request comes from. */
export interface Admitted {
  readonly name: string;
  readonly role: Role;
}

interface TokenLine extends Admitted {
  readonly sha256: Uint8Array;
}

/** Whether who has the one role may do what the other one is needed for. */
export function roleIncludes(has: Role, needed: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needed);
}

/** Why a name can have no token; null if it can. */
export function tokenNameFault(name: string): string | null {
  if (name === "cert") return '"cert" begins lines about certificates';
  if (NAME.test(name)) return null;
  return `${JSON.stringify(name)} is no name: 1 to 64 of A-Z a-z 0-9 . _ @ -`;
}

/** The line of a token. */
export async function tokenLine(
  { name, role, token }: { name: string; role: Role; token: string },
): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return `${name}:${role}:${new Uint8Array(hash).toHex()}`;
}

/** A token that nobody guesses: 256 random bits. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `rq_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

/** A tokens file that has been read; never changes. */
export class AdminTokens {
  readonly #tokens: readonly TokenLine[];
  readonly #certificates: ReadonlyMap<string, Role>;

  private constructor(tokens: readonly TokenLine[], certificates: ReadonlyMap<string, Role>) {
    this.#tokens = tokens;
    this.#certificates = certificates;
  }

  /** Nobody is let in. */
  static none(): AdminTokens {
    return new AdminTokens([], new Map());
  }

  /** Reads a file that others may not; gives the reason where that is not possible. Never throws. */
  static async read(path: string): Promise<AdminTokens | { readonly problem: string }> {
    let text: string;
    try {
      const { mode } = await Deno.stat(path);
      if (mode !== null && (mode & FORBIDDEN_MODE) !== 0) {
        const written = (mode & 0o777).toString(8).padStart(4, "0");
        return { problem: `${path}: others may read or change it (mode ${written}): chmod 0600` };
      }
      text = await readTextFile(path, ADMIN_TOKENS_LENGTH_MAX * 3);
    } catch (error) {
      return { problem: `${path}: ${error instanceof Error ? error.message : String(error)}` };
    }
    const parsed = AdminTokens.parse(text);
    if (parsed.ok) return parsed.value;
    const [first, ...more] = parsed.diagnostics;
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    return { problem: `${path}:${first!.line}:${first!.column}: ${first!.message}${rest}` };
  }

  /** Reads the text of a file. One mistake refuses all of it. */
  static parse(text: string): ParsedFile<AdminTokens> {
    const diagnostics = new Diagnostics();
    const tokens: TokenLine[] = [];
    const hashes = new Map<string, number>();
    const certificates = new Map<string, Role>();
    if (text.length > ADMIN_TOKENS_LENGTH_MAX) {
      diagnostics.add(1, 1, `the file is longer than ${ADMIN_TOKENS_LENGTH_MAX} characters`);
      return diagnostics.finish(AdminTokens.none());
    }
    for (const [index, written] of text.split("\n").entries()) {
      const line = index + 1;
      const content = written.trim();
      if (content === "" || content.startsWith("#")) continue;
      const parsed = parseLine(content);
      if ("fault" in parsed) {
        diagnostics.add(line, 1, parsed.fault);
      } else if ("identity" in parsed) {
        if (certificates.has(parsed.identity)) {
          diagnostics.add(line, 1, "the certificate stands in another line already");
        }
        certificates.set(parsed.identity, parsed.role);
      } else {
        const hash = parsed.sha256.toHex();
        const before = hashes.get(hash);
        if (before !== undefined) {
          diagnostics.add(line, 1, `the token stands in line ${before} already`);
        }
        hashes.set(hash, line);
        tokens.push(parsed);
      }
    }
    if (tokens.length > TOKENS_MAX) diagnostics.add(1, 1, `more than ${TOKENS_MAX} tokens`);
    if (certificates.size > CERTIFICATES_MAX) {
      diagnostics.add(1, 1, `more than ${CERTIFICATES_MAX} certificates`);
    }
    return diagnostics.finish(new AdminTokens(tokens, certificates));
  }

  /** Whose token has this hash; null for nobody's. All are compared, however early one is right. */
  ofHash(sha256: Uint8Array): Admitted | null {
    let found: Admitted | null = null;
    for (const line of this.#tokens) if (timingSafeEqual(sha256, line.sha256)) found = line;
    return found;
  }

  /** What who has shown a certificate of this identity may do; null for nothing. */
  ofCertificate(identity: string): Admitted | null {
    const role = this.#certificates.get(identity);
    return role === undefined ? null : { name: identity, role };
  }
}

function parseLine(
  line: string,
): TokenLine | { identity: string; role: Role } | { fault: string } {
  const last = line.lastIndexOf(":");
  const first = line.indexOf(":");
  if (first === last) return { fault: "this is neither name:role:sha256 nor cert:identity:role" };
  const name = line.slice(0, first);
  const middle = line.slice(first + 1, last);
  const end = line.slice(last + 1);
  if (name === "cert") {
    const role = roleOf(end);
    if (role === null) return { fault: `the last part is no role: ${ROLES.join(", ")}` };
    if (middle === "" || CONTROL_CHARACTER.test(middle)) {
      return { fault: "the identity is empty or contains a control character" };
    }
    return { identity: middle, role };
  }
  const fault = tokenNameFault(name);
  if (fault !== null) return { fault };
  const role = roleOf(middle);
  // What stands there instead may be the token itself: it is not told.
  if (role === null) return { fault: `the second part is no role: ${ROLES.join(", ")}` };
  if (!HASH.test(end)) return { fault: "the third part is no SHA-256 in 64 hexadecimal digits" };
  return { name, role, sha256: Uint8Array.fromHex(end) };
}

function roleOf(word: string): Role | null {
  return ROLES.find((role) => role === word) ?? null;
}
