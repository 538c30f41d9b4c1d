/** Salted hashes of passwords: how they are written in a file, made and checked. */
import { createHash, timingSafeEqual } from "node:crypto";

/** How a password is hashed. The last two are Mosquitto's `$7$` and `$6$`. */
export type PasswordScheme = "pbkdf2-sha256" | "sha256" | "pbkdf2-sha512" | "sha512";

/** A hash with all that is needed to make it again from the password. */
export interface PasswordHash {
  readonly scheme: PasswordScheme;
  /** Iterations of PBKDF2; 1 for the plain schemes. */
  readonly iterations: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly hash: Uint8Array<ArrayBuffer>;
}

/** What is wrong with a written hash, and how many code units into it. */
export interface HashFault {
  readonly offset: number;
  readonly fault: string;
}

interface SchemeForm {
  readonly prefix: string;
  readonly pbkdf2: boolean;
  readonly digest: "SHA-256" | "SHA-512";
  readonly hashBytes: number;
  /** Bytes of a new salt; Mosquitto wants exactly 12. */
  readonly saltBytes: number;
  /** Iterations unless told otherwise: OWASP's Password Storage Cheat Sheet, and 1 for plain. */
  readonly iterations: number;
}

const FORMS: Readonly<Record<PasswordScheme, SchemeForm>> = {
  "pbkdf2-sha256": {
    prefix: "$relayq$pbkdf2-sha256$",
    pbkdf2: true,
    digest: "SHA-256",
    hashBytes: 32,
    saltBytes: 16,
    iterations: 600_000,
  },
  "sha256": {
    prefix: "$relayq$sha256$",
    pbkdf2: false,
    digest: "SHA-256",
    hashBytes: 32,
    saltBytes: 16,
    iterations: 1,
  },
  "pbkdf2-sha512": {
    prefix: "$7$",
    pbkdf2: true,
    digest: "SHA-512",
    hashBytes: 64,
    saltBytes: 12,
    iterations: 210_000,
  },
  "sha512": {
    prefix: "$6$",
    pbkdf2: false,
    digest: "SHA-512",
    hashBytes: 64,
    saltBytes: 12,
    iterations: 1,
  },
};

const SCHEMES = Object.keys(FORMS) as PasswordScheme[];

/** Most iterations taken from a file: about 1.5 s of one core of a PC, so none can freeze a box. */
export const ITERATIONS_MAX = 4_000_000;
/** Fewest iterations of a new hash; files of others may have fewer, `mosquitto_passwd` takes 101. */
export const ITERATIONS_MIN = 1_000;
/** Bytes of a password that MQTT can carry. */
export const PASSWORD_BYTES_MAX = 65_535;
const SALT_BYTES_MAX = 64;

/** Reads a hash as it stands behind the user name, or says what is wrong; never quotes it. */
export function parsePasswordHash(text: string): PasswordHash | HashFault {
  const scheme = SCHEMES.find((candidate) => text.startsWith(FORMS[candidate].prefix));
  if (scheme === undefined) return unknownScheme(text);
  const { prefix, pbkdf2, hashBytes } = FORMS[scheme];
  const fields = text.slice(prefix.length).split("$");
  const wanted = pbkdf2 ? 3 : 2;
  if (fields.length !== wanted) {
    return { offset: prefix.length, fault: `the hash has ${fields.length} fields, not ${wanted}` };
  }
  const [hashText = "", saltText = "", iterationsText = "1"] = fields.toReversed();
  const iterations = /^[1-9]\d{0,9}$/.test(iterationsText) ? Number(iterationsText) : 0;
  if (iterations < 1 || iterations > ITERATIONS_MAX) {
    const fault = `the iteration count is no whole number from 1 to ${ITERATIONS_MAX}`;
    return { offset: prefix.length, fault };
  }
  const salt = fromBase64(saltText);
  const hashOffset = text.length - hashText.length;
  if (salt === null || salt.length < 1 || salt.length > SALT_BYTES_MAX) {
    const fault = `the salt is not base64 of 1 to ${SALT_BYTES_MAX} bytes`;
    return { offset: hashOffset - 1 - saltText.length, fault };
  }
  const hash = fromBase64(hashText);
  if (hash === null || hash.length !== hashBytes) {
    return { offset: hashOffset, fault: `the hash is not base64 of ${hashBytes} bytes` };
  }
  return { scheme, iterations, salt, hash };
}

/** The hash as it stands in a file. */
export function formatPasswordHash({ scheme, iterations, salt, hash }: PasswordHash): string {
  const { prefix, pbkdf2 } = FORMS[scheme];
  const count = pbkdf2 ? `${iterations}$` : "";
  return `${prefix}${count}${salt.toBase64()}$${hash.toBase64()}`;
}

/** Whether two are the same to the last bit, so that nobody has changed the password meanwhile. */
export function isSameHash(a: PasswordHash, b: PasswordHash): boolean {
  return a === b || formatPasswordHash(a) === formatPasswordHash(b);
}

/** Hashes a new password with a salt of its own. */
export async function hashPassword(
  password: Uint8Array,
  options: { scheme?: PasswordScheme; iterations?: number } = {},
): Promise<PasswordHash> {
  const scheme = options.scheme ?? "pbkdf2-sha256";
  const { saltBytes, pbkdf2, iterations: usual } = FORMS[scheme];
  const iterations = pbkdf2 ? options.iterations ?? usual : 1;
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await derive(password, { scheme, iterations, salt });
  return { scheme, iterations, salt, hash };
}

/** Whether this is the password; takes as long for a wrong one as for the right one. */
export async function passwordMatches(
  password: Uint8Array,
  wanted: PasswordHash,
): Promise<boolean> {
  return timingSafeEqual(await derive(password, wanted), wanted.hash);
}

/**
 * PBKDF2 (RFC 8018) by WebCrypto, which works beside the event loop and, in Deno 2.9.6, 2.7 times as
 * fast as `pbkdf2` of `node:crypto`. A plain SHA-2 (FIPS 180-4) takes microseconds and is done here.
 */
async function derive(
  password: Uint8Array,
  { scheme, iterations, salt }: Omit<PasswordHash, "hash">,
): Promise<Uint8Array<ArrayBuffer>> {
  const { pbkdf2, digest, hashBytes } = FORMS[scheme];
  if (!pbkdf2) {
    const hash = createHash(digest === "SHA-256" ? "sha256" : "sha512");
    // Mosquitto hashes the password first, then the salt; ours is the other way round.
    const parts = scheme === "sha512" ? [password, salt] : [salt, password];
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  }
  const raw = new Uint8Array(password);
  const key = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveBits"]);
  raw.fill(0);
  const how = { name: "PBKDF2", hash: digest, salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, hashBytes * 8));
}

function unknownScheme(text: string): HashFault {
  if (!text.startsWith("$")) {
    return {
      offset: 0,
      fault: "this is no hash; `mosquitto_passwd -U` turns passwords into hashes",
    };
  }
  const known = SCHEMES.map((scheme) => FORMS[scheme].prefix).join(", ");
  return { offset: 0, fault: `the hash begins with none of ${known}` };
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return null;
  }
}
