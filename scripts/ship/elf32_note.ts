/**
 * Puts the program behind a runtime of 32 bits: `deno compile` does so for 64 bits only. The form is
 * the same, as the runtime looks for it in its own memory: an ELF note with the name `SUI`, in which
 * are the length of a name, the name, and what was embedded under it, in a segment that is loaded.
 */

const NOTE_NAME = new TextEncoder().encode("SUI\0");
const NOTE_TYPE = 0x5355_4901;
const SEGMENT = { load: 1, note: 4, table: 6 } as const;
const READABLE = 4;
const TABLE_ENTRY_BYTES = 32;
/** Largest pages of ARM's kernels. */
const PAGE_BYTES = 0x1_0000;

/** A program header of 32 bits, in the order in which the file has its fields. */
interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly physical: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly flags: number;
  readonly align: number;
}

/** What the note of a 64-bit binary says: the name and what is embedded; null where there is none. */
export function readNote64(binary: Uint8Array): Uint8Array | null {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const table = Number(view.getBigUint64(32, true));
  for (let index = 0; index < view.getUint16(56, true); index++) {
    const at = table + index * view.getUint16(54, true);
    if (view.getUint32(at, true) !== SEGMENT.note) continue;
    let note = Number(view.getBigUint64(at + 8, true));
    const end = note + Number(view.getBigUint64(at + 32, true));
    while (note < end) {
      const nameBytes = view.getUint32(note, true);
      const bytes = view.getUint32(note + 4, true);
      const from = note + 12 + padded(nameBytes);
      if (view.getUint32(note + 8, true) === NOTE_TYPE) return binary.subarray(from, from + bytes);
      note = from + padded(bytes);
    }
  }
  return null;
}

/** The runtime with a note behind it, and program headers that load it. */
export function withNote32(runtime: Uint8Array, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const headers = readHeaders(runtime);
  const loads = headers.filter(({ type }) => type === SEGMENT.load);
  const first = loads[0];
  if (first === undefined) throw new Error("Cannot embed: the runtime loads nothing");
  // Kernels compute the place of the table from the first segment: so the distance between file
  // and memory is the same for the last one.
  const distance = first.address - first.offset;
  const memoryEnd = Math.max(...loads.map((load) => load.address + load.memoryBytes)) - distance;
  const offset = Math.ceil(Math.max(runtime.length, memoryEnd) / PAGE_BYTES) * PAGE_BYTES;
  const tableBytes = (headers.length + 2) * TABLE_ENTRY_BYTES;
  const noteBytes = 12 + NOTE_NAME.length + padded(content.length);
  const place = (at: number, bytes: number) => ({
    offset: at,
    address: at + distance,
    physical: at + distance,
    fileBytes: bytes,
    memoryBytes: bytes,
    flags: READABLE,
  });
  const moved = headers.map((header) =>
    header.type === SEGMENT.table ? { ...header, ...place(offset, tableBytes) } : header
  );
  const last = moved.findLastIndex(({ type }) => type === SEGMENT.load) + 1;
  const whole = { ...place(offset, tableBytes + noteBytes), type: SEGMENT.load, align: PAGE_BYTES };
  const note = { ...place(offset + tableBytes, noteBytes), type: SEGMENT.note, align: 4 };
  const result = new Uint8Array(offset + tableBytes + noteBytes);
  result.set(runtime);
  const view = new DataView(result.buffer);
  view.setUint32(28, offset, true);
  view.setUint16(44, headers.length + 2, true);
  writeHeaders(view, offset, [...moved.slice(0, last), whole, ...moved.slice(last), note]);
  const at = offset + tableBytes;
  view.setUint32(at, NOTE_NAME.length, true);
  view.setUint32(at + 4, content.length, true);
  view.setUint32(at + 8, NOTE_TYPE, true);
  result.set(NOTE_NAME, at + 12);
  result.set(content, at + 12 + NOTE_NAME.length);
  return result;
}

function readHeaders(bytes: Uint8Array): ProgramHeader[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = view.getUint32(28, true);
  return Array.from({ length: view.getUint16(44, true) }, (_, index) => {
    const word = (field: number) =>
      view.getUint32(table + index * TABLE_ENTRY_BYTES + 4 * field, true);
    return {
      type: word(0),
      offset: word(1),
      address: word(2),
      physical: word(3),
      fileBytes: word(4),
      memoryBytes: word(5),
      flags: word(6),
      align: word(7),
    };
  });
}

function writeHeaders(view: DataView, table: number, headers: readonly ProgramHeader[]): void {
  for (const [index, header] of headers.entries()) {
    const { type, offset, address, physical, fileBytes, memoryBytes, flags, align } = header;
    const words = [type, offset, address, physical, fileBytes, memoryBytes, flags, align];
    for (const [field, word] of words.entries()) {
      view.setUint32(table + index * TABLE_ENTRY_BYTES + 4 * field, word, true);
    }
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
