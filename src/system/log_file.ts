/** A log that goes into a file, and into another one when that is full. */
import type { LogTarget, LogWrite } from "./log_queue.ts";
import { reasonOf } from "./log_stream.ts";

/** What a log may take of the disk. */
export interface LogFileLimits {
  readonly fileBytesMax: number;
  /** With the one that is written. */
  readonly filesMax: number;
}

/** Readable by its owner and by the group that looks after logs. */
const MODE = 0o640;
const LINE_FEED = 0x0a;
const LINE_END = Uint8Array.of(LINE_FEED);

/** Appends to a file; older ones have .1, .2 and so on behind their names. */
export class LogFile implements LogTarget {
  readonly #path: string;
  readonly #limits: LogFileLimits;
  #file: Deno.FsFile | null;
  #bytes: number;
  /** Whether the last line in the file has no end. */
  #torn: boolean;

  private constructor(path: string, limits: LogFileLimits, opened: OpenedFile) {
    this.#path = path;
    this.#limits = limits;
    this.#file = opened.file;
    this.#bytes = opened.bytes;
    this.#torn = opened.torn;
  }

  /** Opens the file or makes it, or says why that is not possible. */
  static async open(
    path: string,
    limits: LogFileLimits,
  ): Promise<LogFile | { problem: string }> {
    try {
      return new LogFile(path, limits, await openFile(path));
    } catch (error) {
      return { problem: reasonOf(error) };
    }
  }

  /** What cannot be written is not; the next call tries again. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<LogWrite> {
    let written = 0;
    try {
      while (written < bytes.length) {
        const end = written + this.#fitting(bytes.subarray(written));
        if (end === written) {
          await this.#rotate();
          continue;
        }
        if (this.#file === null) this.#use(await openFile(this.#path));
        if (this.#torn) await this.#append(LINE_END);
        while (written < end) written += await this.#append(bytes.subarray(written, end));
      }
      return { written, problem: null };
    } catch (error) {
      return { written, problem: reasonOf(error) };
    }
  }

  /** Goes on in the file that has the name now; stays where it is if that cannot be opened. */
  async reopen(): Promise<string | null> {
    try {
      const opened = await openFile(this.#path);
      this.close();
      this.#use(opened);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** How many of these bytes, in whole lines, the file has room for; an empty one takes a line. */
  #fitting(bytes: Uint8Array): number {
    const room = this.#limits.fileBytesMax - this.#bytes;
    if (bytes.length <= room) return bytes.length;
    const end = room <= 0 ? 0 : bytes.lastIndexOf(LINE_FEED, room - 1) + 1;
    return end === 0 && this.#bytes === 0 ? bytes.indexOf(LINE_FEED) + 1 || bytes.length : end;
  }

  /** Gives how many bytes were written. */
  async #append(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const count = await this.#file!.write(bytes);
    this.#bytes += count;
    this.#torn = bytes[count - 1] !== LINE_FEED;
    return count;
  }

  async #rotate(): Promise<void> {
    const { filesMax } = this.#limits;
    this.close(); // before its name is given to another one
    if (filesMax === 1) await unlessMissing(Deno.remove(this.#path));
    for (let number = filesMax - 1; number > 0; number--) {
      const older = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      await unlessMissing(Deno.rename(older, `${this.#path}.${number}`));
    }
    this.#bytes = 0; // even if the next one cannot be opened: what is older must not move again
    this.#torn = false;
  }

  #use({ file, bytes, torn }: OpenedFile): void {
    this.#file = file;
    this.#bytes = bytes;
    this.#torn = torn;
  }
}

interface OpenedFile {
  readonly file: Deno.FsFile;
  readonly bytes: number;
  readonly torn: boolean;
}

async function openFile(path: string): Promise<OpenedFile> {
  const file = await Deno.open(path, { read: true, append: true, create: true, mode: MODE });
  try {
    const { size, isFile } = await file.stat();
    return { file, bytes: size, torn: isFile && size > 0 && !(await endsInLine(file)) };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function endsInLine(file: Deno.FsFile): Promise<boolean> {
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  return last[0] === LINE_FEED;
}

async function unlessMissing(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
