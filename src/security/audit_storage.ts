/** Where an audit log is kept: one file that grows, older ones, and the head. */
import { AUDIT_FILE, AUDIT_HEAD_FILE, HEAD_SLOT_BYTES, rotatedRange } from "./audit_chain.ts";

/** The files of one audit log. Every method rejects where the system refuses. */
export interface AuditStorage {
  /** Bytes of a file from an offset on; null if there is no such file. */
  read(
    name: string,
    range: { offset: number; length: number },
  ): Promise<{ bytes: Uint8Array; size: number } | null>;
  /** Names of the older files, oldest first. */
  rotated(): Promise<string[]>;
  /** Opens the file that grows, makes it if it is not there, and gives its size. */
  openActive(): Promise<number>;
  /** Writes all of the bytes at an offset of the file that grows. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts the file that grows. */
  truncate(size: number): Promise<void>;
  /** Resolves when what was written is on the disk. */
  sync(): Promise<void>;
  /** Closes the file that grows and gives it another name. */
  rotate(name: string): Promise<void>;
  /** Removes an older file. */
  remove(name: string): Promise<void>;
  /** Both slots of the head; null if there is none. */
  readHead(): Promise<string | null>;
  /** Writes one slot of the head, on the disk when it resolves. */
  writeHead(slot: number, text: string): Promise<void>;
  /** Lets go of everything. */
  close(): void;
}

/** An audit log in a directory of its own. Needs permission to read and write there. */
export class DirectoryAuditStorage implements AuditStorage {
  readonly #directory: string;
  #active: Deno.FsFile | null = null;
  #head: Deno.FsFile | null = null;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory if it is not there; only its owner may look into it. */
  static async open(directory: string): Promise<DirectoryAuditStorage> {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return new DirectoryAuditStorage(directory);
  }

  async read(
    name: string,
    { offset, length }: { offset: number; length: number },
  ): Promise<{ bytes: Uint8Array; size: number } | null> {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(this.#path(name), { read: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
    try {
      const { size } = await file.stat();
      const from = offset < 0 ? Math.max(0, size + offset) : offset;
      await file.seek(from, Deno.SeekMode.Start);
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - from)));
      let filled = 0;
      while (filled < bytes.length) {
        const count = await file.read(bytes.subarray(filled));
        if (count === null) break;
        filled += count;
      }
      return { bytes: bytes.subarray(0, filled), size };
    } finally {
      file.close();
    }
  }

  async rotated(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.#directory)) {
      if (rotatedRange(name) !== null) names.push(name);
    }
    return names.sort((a, b) => rotatedRange(a)!.first - rotatedRange(b)!.first);
  }

  async openActive(): Promise<number> {
    this.#active?.close();
    this.#active = null;
    const options = { read: true, write: true, create: true, mode: 0o600 };
    this.#active = await Deno.open(this.#path(AUDIT_FILE), options);
    await this.#syncDirectory();
    return (await this.#active.stat()).size;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await writeAll(this.#opened(), offset, bytes);
  }

  async truncate(size: number): Promise<void> {
    await this.#opened().truncate(size);
  }

  async sync(): Promise<void> {
    await this.#opened().syncData();
  }

  async rotate(name: string): Promise<void> {
    this.#active?.close();
    this.#active = null;
    await Deno.rename(this.#path(AUDIT_FILE), this.#path(name));
    await this.#syncDirectory();
  }

  async remove(name: string): Promise<void> {
    await Deno.remove(this.#path(name));
  }

  async readHead(): Promise<string | null> {
    const range = { offset: 0, length: 2 * HEAD_SLOT_BYTES };
    const read = await this.read(AUDIT_HEAD_FILE, range);
    return read === null ? null : new TextDecoder("latin1").decode(read.bytes);
  }

  async writeHead(slot: number, text: string): Promise<void> {
    if (this.#head === null) {
      const options = { write: true, create: true, mode: 0o600 };
      this.#head = await Deno.open(this.#path(AUDIT_HEAD_FILE), options);
      await this.#syncDirectory();
    }
    await writeAll(this.#head, slot * HEAD_SLOT_BYTES, new TextEncoder().encode(text));
    await this.#head.syncData();
  }

  close(): void {
    this.#active?.close();
    this.#head?.close();
    this.#active = null;
    this.#head = null;
  }

  #opened(): Deno.FsFile {
    if (this.#active === null) throw new Error("the audit log is not open");
    return this.#active;
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** A name is on the disk when its directory is. */
  async #syncDirectory(): Promise<void> {
    using directory = await Deno.open(this.#directory, { read: true });
    await directory.sync();
  }
}

async function writeAll(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}
