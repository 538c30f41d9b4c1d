/** The checksum that a PROXY header of version 2 may carry. */

/** Reversed polynomial of Castagnoli. */
const POLYNOMIAL = 0x82f63b78;

/** CRC32c of a PROXY header, its own four bytes at `at` counted as zero. */
export function headerChecksum(header: Uint8Array, at: number): number {
  let crc = 0xffff_ffff;
  for (const [index, byte] of header.entries()) {
    crc ^= index >= at && index < at + 4 ? 0 : byte;
    // Bit by bit: headers are short, and rare.
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}
