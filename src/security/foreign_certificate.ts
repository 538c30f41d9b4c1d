/** Server certificates of forms that we accept from nobody else, such as X.509 version 1. */
import { X509Certificate } from "node:crypto";

/** What people want to know of one. */
export interface ForeignCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** In hexadecimal digits. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Reads it as the runtime does; null where it cannot, either. */
export function readForeignCertificate(der: Uint8Array): ForeignCertificate | null {
  try {
    const { subject, issuer, serialNumber, validFrom, validTo } = new X509Certificate(der);
    const [notBeforeMs, notAfterMs] = [Date.parse(validFrom), Date.parse(validTo)];
    if (!Number.isFinite(notBeforeMs) || !Number.isFinite(notAfterMs)) return null;
    return {
      subject: subject.trim().replaceAll("\n", ", "),
      issuer: issuer.trim().replaceAll("\n", ", "),
      serial: serialNumber.toLowerCase(),
      notBeforeMs,
      notAfterMs,
    };
  } catch {
    return null;
  }
}
