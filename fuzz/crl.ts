/** Any CRL: never a throw, and none used but the one that the CA has signed. */
import { loadCertificateCrypto, TrustStore } from "../src/security/mod.ts";
import { parseCertificate } from "../src/security/certificate.ts";
import { type Crl, parseCrls } from "../src/security/crl.ts";
import { AUTHORITY, REVOCATIONS } from "./_certificates.ts";
import { mutateDer } from "./_mutate_der.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const CRYPTO = await loadCertificateCrypto();
const CA = parseCertificate(AUTHORITY);

/** Mutated lists, as DER and as PEM with damage of its own. */
export const CRL: Target = {
  name: "crl",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const der = mutateDer(random, REVOCATIONS);
    const input = random.oneIn(8) ? damagedPem(random, der) : der;
    let problem: string | null;
    try {
      problem = use(input);
    } catch (error) {
      problem = `reading threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input };
  },
};

function use(input: Uint8Array): string | null {
  const crls = parseCrls(input);
  if ("problem" in crls) return null;
  if ("problem" in CA) return `the CA does not parse: ${CA.problem}`;
  const store = TrustStore.build({ authorities: [CA], crls }, CRYPTO);
  return "problem" in store || crls.every(isGenuine) ? null : "a changed list was taken";
}

function isGenuine({ revoked, thisUpdateMs, nextUpdateMs }: Crl): boolean {
  const [genuine] = parseCrls(REVOCATIONS) as readonly Crl[];
  return [...revoked].join() === [...genuine!.revoked].join() &&
    thisUpdateMs === genuine!.thisUpdateMs && nextUpdateMs === genuine!.nextUpdateMs;
}

function damagedPem(random: Random, der: Uint8Array): Uint8Array {
  const text = `-----BEGIN X509 CRL-----\n${der.toBase64()}\n-----END X509 CRL-----\n`;
  const pem = new TextEncoder().encode(text.repeat(1 + random.below(3)));
  if (random.oneIn(2)) pem[random.below(pem.length)] = random.bits();
  return pem;
}
