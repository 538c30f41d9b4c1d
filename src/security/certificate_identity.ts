/** The user name that a client certificate stands for. */
import type { Certificate } from "./certificate.ts";
import { commonNames } from "./certificate_name.ts";

/** Which part of a certificate names the user. */
export type IdentitySource = "cn" | "san_dns" | "san_uri" | "san_email" | "fingerprint";

/** Longer names are refused. */
const LENGTH_MAX = 256;

const CALLED: Readonly<Record<IdentitySource, string>> = {
  cn: "Common Name",
  san_dns: "DNS name",
  san_uri: "URI",
  san_email: "e-mail address",
  fingerprint: "fingerprint",
};

/**
 * Takes the identity out of a certificate that is accepted. There must be exactly one candidate:
 * which of two would count could be the choice of whoever asked for the certificate.
 */
export function identityOf(
  certificate: Certificate,
  { source, fingerprint }: { readonly source: IdentitySource; readonly fingerprint: string },
): { readonly identity: string } | { readonly problem: string } {
  if (source === "fingerprint") return { identity: fingerprint };
  const candidates = new Set(candidatesOf(certificate, source));
  const [identity] = candidates;
  const called = CALLED[source];
  if (identity === undefined) return { problem: `it has no ${called}` };
  if (candidates.size > 1) {
    return { problem: `it has ${candidates.size} different values for ${called}` };
  }
  if (identity === null) {
    return { problem: `its ${called} is in a character set that is not supported` };
  }
  if (identity === "" || identity.length > LENGTH_MAX) {
    return { problem: `its ${called} is empty or longer than ${LENGTH_MAX} characters` };
  }
  // A zero byte ends a name in C, and a line feed a log line.
  if (hasControls(identity)) return { problem: `its ${called} has control characters` };
  return { identity };
}

function candidatesOf(
  { subjectName, alternativeNames }: Certificate,
  source: Exclude<IdentitySource, "fingerprint">,
): readonly (string | null)[] {
  switch (source) {
    case "cn":
      return commonNames(subjectName);
    case "san_dns":
      return alternativeNames?.dns ?? [];
    case "san_uri":
      return alternativeNames?.uri ?? [];
    case "san_email":
      return alternativeNames?.email ?? [];
  }
}

function hasControls(text: string): boolean {
  return [...text].some((character) => {
    const code = character.codePointAt(0)!;
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
  });
}
