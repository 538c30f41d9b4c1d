/** Reads of an ELF file what decides where it runs: its machine, its loader, the libraries it names. */

/** The numbers of ELF headers for the machines that we ship for. */
export const ELF_MACHINE = { arm: 40, x86_64: 62, aarch64: 183 } as const;

/** What an ELF file says of itself. */
export interface ElfFile {
  readonly bits: 32 | 64;
  /** `e_machine`, one of `ELF_MACHINE` or another. */
  readonly machine: number;
  /** The dynamic loader it asks for; null where it is linked statically. */
  readonly interpreter: string | null;
  /** Names of the shared libraries that it cannot do without. */
  readonly needed: readonly string[];
}

const SEGMENT = { load: 1, dynamic: 2, interpreter: 3 } as const;
const DYNAMIC = { end: 0, needed: 1, stringTable: 5 } as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

/** Reads an ELF file of little-endian machines; null where `bytes` is none. */
export function readElf(bytes: Uint8Array): ElfFile | null {
  if (bytes.length < 52 || String.fromCharCode(...bytes.subarray(0, 4)) !== "\x7fELF") return null;
  const bits = bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : null;
  if (bits === null || bytes[5] !== 1) return null;
  try {
    const segments = readSegments(bytes, bits);
    const interpreter = segments.find(({ type }) => type === SEGMENT.interpreter);
    return {
      bits,
      machine: viewOf(bytes).getUint16(18, true),
      interpreter: interpreter === undefined ? null : textAt(bytes, interpreter.offset),
      needed: readNeeded(bytes, { bits, segments }),
    };
  } catch (error) {
    if (error instanceof RangeError) return null; // cut off
    throw error;
  }
}

function readSegments(bytes: Uint8Array, bits: 32 | 64): Segment[] {
  const view = viewOf(bytes);
  const wide = bits === 64;
  const table = wordAt(view, { at: wide ? 32 : 28, bits });
  const size = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      type: view.getUint32(at, true),
      offset: wordAt(view, { at: at + (wide ? 8 : 4), bits }),
      address: wordAt(view, { at: at + (wide ? 16 : 8), bits }),
      bytes: wordAt(view, { at: at + (wide ? 32 : 16), bits }),
    };
  });
}

function readNeeded(
  bytes: Uint8Array,
  { bits, segments }: { bits: 32 | 64; segments: readonly Segment[] },
): string[] {
  const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
  if (dynamic === undefined) return [];
  const view = viewOf(bytes);
  const wordBytes = bits / 8;
  const names: number[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 2 * wordBytes) {
    const tag = wordAt(view, { at, bits });
    const value = wordAt(view, { at: at + wordBytes, bits });
    if (tag === DYNAMIC.end) break;
    if (tag === DYNAMIC.needed) names.push(value);
    if (tag === DYNAMIC.stringTable) strings = fileOffset(segments, value);
  }
  return names.map((offset) => textAt(bytes, strings + offset));
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const holds = ({ type, address: from, bytes }: Segment) =>
    type === SEGMENT.load && from <= address && address < from + bytes;
  const segment = segments.find(holds);
  if (segment === undefined) throw new RangeError("address outside the file");
  return segment.offset + address - segment.address;
}

function wordAt(view: DataView, { at, bits }: { at: number; bits: 32 | 64 }): number {
  return bits === 64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
}

function textAt(bytes: Uint8Array, from: number): string {
  const end = bytes.indexOf(0, from);
  if (end < 0) throw new RangeError("text outside the file");
  return new TextDecoder().decode(bytes.subarray(from, end));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
