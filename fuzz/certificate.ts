/** Any certificate: never a throw, and nobody accepted but the one that the CA has issued. */
import { loadCertificateCrypto, TrustStore } from "../src/security/mod.ts";
import { parseCertificate } from "../src/security/certificate.ts";
import { CertificateJudge } from "../src/security/certificate_judge.ts";
import type { CertificatePolicy } from "../src/security/mod.ts";
import { AUTHORITY, LEAF, VALID_MS } from "./_certificates.ts";
import { mutateDer } from "./_mutate_der.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const SOURCES = ["cn", "san_dns", "san_uri", "san_email", "fingerprint"] as const;
const JUDGES = await makeJudges();

/** Mutated certificates, as client certificates and as intermediate ones, before a judge. */
export const CERTIFICATE: Target = {
  name: "certificate",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const input = mutateDer(random, random.oneIn(4) ? AUTHORITY : LEAF);
    let problem: string | null;
    try {
      problem = judge(input, random);
    } catch (error) {
      problem = `the judge threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input };
  },
};

function judge(input: Uint8Array, random: Random): string | null {
  const judge = random.pick(JUDGES);
  const verdict = judge.judge([input, AUTHORITY], VALID_MS);
  const genuine = same(input, LEAF) || same(input, AUTHORITY);
  if (verdict.accepted && !genuine) return `accepted as ${verdict.certificate?.identity}`;
  if (!verdict.accepted && hasControls(verdict.reason)) return `reason: ${verdict.reason}`;
  // What stands beside a good certificate takes nothing from it.
  if (!judge.judge([LEAF, input], VALID_MS).accepted) return "the genuine one was refused";
  return null;
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function hasControls(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\x7f");
}

async function makeJudges(): Promise<CertificateJudge[]> {
  const crypto = await loadCertificateCrypto();
  const authority = parseCertificate(AUTHORITY);
  if ("problem" in authority) throw new Error(`Cannot parse the CA: ${authority.problem}`);
  const store = TrustStore.build({ authorities: [authority], crls: [] }, crypto);
  if ("problem" in store) throw new Error(`Cannot build trust: ${store.problem}`);
  return SOURCES.map((identityFrom) => {
    const policy: CertificatePolicy = {
      clientCertificate: "required",
      certificateClock: "strict",
      crlExpired: "refuse",
      crlMissing: "warn",
      identityFrom,
    };
    return new CertificateJudge({ policy, store, pins: new Set() }, crypto);
  });
}
