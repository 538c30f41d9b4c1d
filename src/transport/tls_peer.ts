/** What the other side of a TLS connection presented. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** More certificates than a judge looks at. */
const CERTIFICATES_MAX = 32;

/** The peer's certificate and those that it sent besides, in DER; nothing if it sent none. */
export function presentedBy(socket: TLSSocket): readonly Uint8Array[] {
  const certificates: Uint8Array[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = peerCertificate(socket);
  while (next?.raw !== undefined && certificates.length < CERTIFICATES_MAX) {
    certificates.push(new Uint8Array(next.raw));
    // A certificate that is its own issuer ends the list.
    if (next.issuerCertificate === next) break;
    next = next.issuerCertificate;
  }
  return certificates;
}

/** The peer's certificate alone, at a quarter of the cost; null if it sent none. */
export function certificateOf(socket: TLSSocket): Uint8Array | null {
  try {
    return socket.getPeerX509Certificate()?.raw ?? null;
  } catch {
    return null;
  }
}

/** A certificate that the runtime cannot read is as none. */
function peerCertificate(socket: TLSSocket): Partial<DetailedPeerCertificate> | undefined {
  try {
    return socket.getPeerCertificate(true);
  } catch {
    return undefined;
  }
}
