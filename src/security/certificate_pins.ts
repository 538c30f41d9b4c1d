/** Pins: the SHA-256 of certificates, or of their public keys, that are accepted. */

/** SHA-256 values in hexadecimal digits, of certificates or of SubjectPublicKeyInfos. */
export type Pins = ReadonlySet<string>;

/**
 * Reads pins such as `sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`: base64 with or without
 * padding, or 64 hexadecimal digits with or without colons. Whether a pin is of a certificate or of
 * a public key (RFC 7469 section 2.4) need not be said: no two inputs have one hash.
 */
export function parsePins(texts: readonly string[]): Pins | { readonly problem: string } {
  const pins = new Set<string>();
  for (const text of texts) {
    const pin = parsePin(text);
    if (pin === null) {
      return { problem: `pin "${text}" is not "sha256/" with 32 bytes in base64 or hexadecimal` };
    }
    pins.add(pin);
  }
  return pins;
}

function parsePin(text: string): string | null {
  if (!text.startsWith("sha256/")) return null;
  const value = text.slice("sha256/".length);
  const digits = value.replaceAll(":", "");
  if (/^[0-9a-fA-F]{64}$/.test(digits)) return digits.toLowerCase();
  try {
    const bytes = Uint8Array.fromBase64(value);
    return bytes.length === 32 ? bytes.toHex() : null;
  } catch {
    return null;
  }
}
