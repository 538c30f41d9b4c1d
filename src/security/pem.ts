/** Takes the DER blocks out of PEM text (RFC 7468), or gives bytes that are DER already. */

/** A file that holds more blocks than this is not what we think it is. */
const BLOCKS_MAX = 1_000;

/** DER blocks of one kind, or why there are none. */
export type PemBlocks = { readonly blocks: readonly Uint8Array[] } | { readonly problem: string };

/**
 * The blocks with this label, such as `CERTIFICATE`, in the order of the file. Bytes that begin
 * with a SEQUENCE are taken as one block of DER. Other labels and text between blocks are ignored.
 */
export function readBlocks(file: Uint8Array, label: string): PemBlocks {
  if (file[0] === 0x30) return { blocks: [file] };
  const text = new TextDecoder().decode(file);
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  for (let from = text.indexOf(begin); from >= 0; from = text.indexOf(begin, from)) {
    from += begin.length;
    const to = text.indexOf(end, from);
    if (to < 0) return { problem: `block ${blocks.length + 1} has no end` };
    const block = decodeBase64(text.slice(from, to));
    if (block === null) return { problem: `block ${blocks.length + 1} is not base64` };
    blocks.push(block);
    if (blocks.length > BLOCKS_MAX) return { problem: `more than ${BLOCKS_MAX} blocks` };
    from = to;
  }
  return blocks.length === 0 ? { problem: `no "${begin}" in it, and not DER` } : { blocks };
}

/** Writes one DER block as PEM. */
export function toPem(der: Uint8Array, label: string): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function decodeBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}
