/** An audit log in memory, on a disk that can fill up, fail, and lose its power. */
import type { Random } from "../../fuzz/random.ts";
import {
  AUDIT_FILE,
  type AuditStorage,
  HEAD_SLOT_BYTES,
  rotatedRange,
} from "../../src/security/mod.ts";

/** What a power cut leaves to those who still call. */
export class PowerCut extends Error {}

/** The disk. `reboot` gives the storage of the next process. */
export class MemoryAuditStorage implements AuditStorage {
  readonly files = new Map<string, Uint8Array>();
  /** Of the file that grows: what is surely on the disk. */
  #synced = 0;
  head = "";
  /** Bytes that the disk has room for. */
  room = Infinity;
  /** Operations until the power goes; each may be half done by then. */
  fuse = Infinity;
  operations = 0;
  #dead = false;

  constructor(readonly random: Random) {}

  /** What a process finds behind a power cut. */
  reboot(): MemoryAuditStorage {
    const next = new MemoryAuditStorage(this.random);
    for (const [name, bytes] of this.files) next.files.set(name, bytes);
    next.head = this.head;
    const active = next.files.get(AUDIT_FILE);
    if (active !== undefined) next.files.set(AUDIT_FILE, this.#survived(active));
    next.#synced = next.files.get(AUDIT_FILE)?.length ?? 0;
    return next;
  }

  /** Of what was not synced any part may be there, and noughts in the place of others. */
  #survived(bytes: Uint8Array): Uint8Array {
    const { random } = this;
    const unsynced = Math.max(0, bytes.length - this.#synced);
    const left = bytes.slice(0, bytes.length - (random.oneIn(2) ? random.below(unsynced + 1) : 0));
    if (left.length > this.#synced && random.oneIn(3)) {
      const from = this.#synced + random.below(left.length - this.#synced);
      left.fill(0, from, from + random.below(left.length - from + 1));
    }
    return left;
  }

  read(name: string, { offset, length }: { offset: number; length: number }) {
    const file = this.files.get(name);
    if (file === undefined) return Promise.resolve(null);
    const from = offset < 0 ? Math.max(0, file.length + offset) : offset;
    return Promise.resolve({ bytes: file.slice(from, from + length), size: file.length });
  }

  rotated(): Promise<string[]> {
    const names = [...this.files.keys()].filter((name) => rotatedRange(name) !== null);
    return Promise.resolve(names.sort());
  }

  async openActive(): Promise<number> {
    await this.#step(() => {
      if (this.files.has(AUDIT_FILE)) return;
      this.files.set(AUDIT_FILE, new Uint8Array(0));
      this.#synced = 0;
    });
    return this.#active.length;
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#step((part) => {
      const length = Math.ceil(bytes.length * part);
      const used = [...this.files.values()].reduce((sum, file) => sum + file.length, 0);
      const fitting = Math.min(length, this.room - used + this.#active.length - offset);
      const size = Math.max(this.#active.length, offset + Math.max(0, fitting));
      const file = new Uint8Array(size);
      file.set(this.#active);
      file.set(bytes.subarray(0, Math.max(0, fitting)), offset);
      this.files.set(AUDIT_FILE, file);
      if (fitting < length) throw new Error("No space left on device");
    });
  }

  truncate(size: number): Promise<void> {
    return this.#step(() => {
      this.files.set(AUDIT_FILE, this.#active.slice(0, size));
      this.#synced = Math.min(this.#synced, size);
    });
  }

  sync(): Promise<void> {
    return this.#step((part) => {
      if (part === 1) this.#synced = this.#active.length;
    });
  }

  rotate(name: string): Promise<void> {
    return this.#step(() => {
      const whole = this.#active;
      if (this.#synced < whole.length) throw new Error("renamed before it was synced");
      this.files.delete(AUDIT_FILE);
      this.files.set(name, whole);
    });
  }

  remove(name: string): Promise<void> {
    return this.#step(() => {
      this.files.delete(name);
    });
  }

  readHead(): Promise<string | null> {
    return Promise.resolve(this.head === "" ? null : this.head);
  }

  writeHead(slot: number, text: string): Promise<void> {
    return this.#step((part) => {
      const written = text.slice(0, Math.ceil(text.length * part));
      const start = slot * HEAD_SLOT_BYTES;
      const before = this.head.padEnd(start, "\0");
      this.head = before.slice(0, start) + written + before.slice(start + written.length);
    });
  }

  close(): void {}

  get #active(): Uint8Array {
    const file = this.files.get(AUDIT_FILE);
    if (file === undefined) throw new Error("the audit log is not open");
    return file;
  }

  /** One operation; `act` is told how much of it is done: all, but for the last one. */
  async #step(act: (part: number) => void): Promise<void> {
    await Promise.resolve();
    if (this.#dead) throw new PowerCut();
    this.operations++;
    if (--this.fuse > 0) return act(1);
    this.#dead = true;
    if (!this.random.oneIn(3)) act(this.random.below(100) / 100);
    throw new PowerCut();
  }
}
