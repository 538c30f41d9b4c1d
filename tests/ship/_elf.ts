/** ELF files of any machine, made up: as much as tells the machine, and a text behind it. */

/** A header that says this machine, followed by a text such as a version. */
export function elfOf(
  { machine, bits, text = "" }: { machine: number; bits: 32 | 64; text?: string },
): Uint8Array<ArrayBuffer> {
  const tail = new TextEncoder().encode(text);
  const bytes = new Uint8Array(64 + tail.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 32 ? 1 : 2, 1, 1]);
  new DataView(bytes.buffer).setUint16(18, machine, true);
  bytes.set(tail, 64);
  return bytes;
}
