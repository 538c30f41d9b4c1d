/** The authorities whose certificates are accepted, and what they have revoked. */
import { type Certificate, describeCertificate } from "./certificate.ts";
import type { CertificateCrypto } from "./certificate_crypto.ts";
import { KEY_USAGE } from "./certificate_extensions.ts";
import { describeName } from "./certificate_name.ts";
import type { Crl } from "./crl.ts";

/** A certificate and the one that has signed it. */
export interface Issued {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
}

/**
 * Every certificate of the CA bundle is a trust anchor, also an intermediate one without its root
 * (what OpenSSL calls a partial chain): an operator can trust one branch only. Where the issuer of
 * an intermediate one is in the bundle too, the issuer's CRL counts for it.
 */
export class TrustStore {
  readonly #bySubject = new Map<string, Certificate[]>();
  readonly #superiors = new Map<Certificate, readonly Issued[]>();
  readonly #crls = new Map<string, Crl[]>();
  readonly #authorities: readonly Certificate[];
  #unlisted: readonly Certificate[] = [];

  private constructor(authorities: readonly Certificate[], crypto: CertificateCrypto) {
    this.#authorities = authorities;
    for (const authority of authorities) {
      const others = this.#bySubject.get(authority.subject);
      if (others === undefined) this.#bySubject.set(authority.subject, [authority]);
      else others.push(authority);
    }
    for (const authority of authorities) {
      this.#superiors.set(authority, this.#findSuperiors(authority, crypto));
    }
  }

  /** Verifies every CRL; gives the reason if an authority or a CRL cannot be used. */
  static build(
    { authorities, crls }: {
      readonly authorities: readonly Certificate[];
      readonly crls: readonly Crl[];
    },
    crypto: CertificateCrypto,
  ): TrustStore | { readonly problem: string } {
    for (const authority of authorities) {
      const refusal = authorityRefusal(authority);
      if (refusal !== null) return { problem: `${describeCertificate(authority)} ${refusal}` };
    }
    const store = new TrustStore(authorities, crypto);
    for (const crl of crls) {
      const problem = store.#addCrl(crl, crypto);
      if (problem !== null) {
        return { problem: `CRL of "${describeName(crl.issuerName)}": ${problem}` };
      }
    }
    if (crls.length > 0) {
      store.#unlisted = authorities.filter((authority) => store.crlsOf(authority).length === 0);
    }
    return store;
  }

  /** Every certificate of the CA bundle. */
  get authorities(): readonly Certificate[] {
    return this.#authorities;
  }

  /** Whether any CRL is loaded. */
  get hasCrls(): boolean {
    return this.#crls.size > 0;
  }

  /** Authorities without a CRL, where others have one: a likely oversight. */
  get unlisted(): readonly Certificate[] {
    return this.#unlisted;
  }

  /** Authorities that may have issued this certificate, by name and key identifier. */
  issuersOf(certificate: Certificate): readonly Certificate[] {
    const named = this.#bySubject.get(certificate.issuer) ?? [];
    return named.filter((authority) => mayHaveIssued(authority, certificate));
  }

  /** Who stands above an authority within the bundle, to the top. */
  superiorsOf(authority: Certificate): readonly Issued[] {
    return this.#superiors.get(authority) ?? [];
  }

  /** The newest CRLs of this issuer, one for each scope; another certificate of the same key counts. */
  crlsOf(issuer: Certificate): readonly Crl[] {
    return this.#crls.get(keyOf(issuer)) ?? [];
  }

  #findSuperiors(authority: Certificate, crypto: CertificateCrypto): readonly Issued[] {
    const superiors: Issued[] = [];
    const waiting = [authority];
    for (let certificate = waiting.pop(); certificate !== undefined; certificate = waiting.pop()) {
      for (const issuer of this.issuersOf(certificate)) {
        const known = issuer === certificate || issuer === authority ||
          superiors.some((other) => other.issuer === issuer);
        if (known || crypto.verify(certificate, issuer.spki) !== null) continue;
        superiors.push({ certificate, issuer });
        waiting.push(issuer);
      }
    }
    return superiors;
  }

  /** Verifies a CRL and puts it in; gives why not, or null. RFC 5280 section 6.3.3 (f) and (g). */
  #addCrl(crl: Crl, crypto: CertificateCrypto): string | null {
    let problem: string | null = "its issuer is not in the CA bundle";
    for (const authority of this.#bySubject.get(crl.issuer) ?? []) {
      problem = hasIssued(authority, crl)
        ? crypto.verify(crl, authority.spki)
        : "the key identifier is that of another key";
      if (problem === null && mayNot(authority, KEY_USAGE.crlSign)) {
        problem = "its issuer may not sign CRLs (keyUsage)";
      }
      if (problem !== null) continue;
      const key = keyOf(authority);
      const others = this.#crls.get(key) ?? [];
      this.#crls.set(key, withNewer(others, crl));
      return null;
    }
    return problem;
  }
}

/** Of the lists with one scope, only the newest counts. */
function withNewer(crls: readonly Crl[], crl: Crl): Crl[] {
  const rival = crls.find(({ scope }) => scope === crl.scope);
  if (rival === undefined) return [...crls, crl];
  return crls.map((other) =>
    other === rival && rival.thisUpdateMs < crl.thisUpdateMs ? crl : other
  );
}

/** Why a certificate cannot be an issuer, or null. RFC 5280 section 6.1.4 (k) and (n). */
export function authorityRefusal(certificate: Certificate): string | null {
  if (certificate.basicConstraints?.ca !== true) return "is not a CA (basicConstraints)";
  if (mayNot(certificate, KEY_USAGE.certificateSign)) return "may not sign certificates (keyUsage)";
  const { unsupported } = certificate;
  return unsupported === null ? null : `has extension ${unsupported}, which is not supported`;
}

/** By names and key identifiers; whether it really has, the signature says. */
export function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  if (issuer.subject !== certificate.issuer) return false;
  const { authorityKeyId } = certificate;
  const { subjectKeyId } = issuer;
  return authorityKeyId === null || subjectKeyId === null || authorityKeyId === subjectKeyId;
}

function hasIssued(authority: Certificate, crl: Crl): boolean {
  const { subjectKeyId } = authority;
  return crl.authorityKeyId === null || subjectKeyId === null ||
    crl.authorityKeyId === subjectKeyId;
}

function mayNot({ keyUsage }: Certificate, usage: number): boolean {
  return keyUsage !== null && (keyUsage & usage) === 0;
}

/** Equal for certificates of the same authority with the same key. */
function keyOf({ subject, spki }: Certificate): string {
  return `${subject}/${spki.toHex()}`;
}
