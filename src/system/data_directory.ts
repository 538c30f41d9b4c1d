/** The data directory, held by one broker at a time. */

const LOCK_FILE = "relayq.lock";

/** A data directory that this process holds; the lock ends with the process, however that ends. */
export class DataDirectory {
  readonly path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the directory if it is not there (mode 0700: it holds messages) and locks it. Gives the
   * reason as text where that fails: no permission, or another broker holds it.
   */
  static async open(path: string): Promise<DataDirectory | { problem: string }> {
    let lock: Deno.FsFile | undefined;
    try {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      lock = await Deno.open(`${path}/${LOCK_FILE}`, { write: true, create: true, mode: 0o600 });
      if (!await lock.tryLock(true)) {
        lock.close();
        return { problem: `data directory ${path} is held by another broker` };
      }
      return new DataDirectory(path, lock);
    } catch (error) {
      lock?.close();
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * Whether a broker holds the directory. To know it the lock is taken, shared and for a moment; a
   * broker that starts in this very moment finds it held.
   */
  static isHeld(path: string): boolean {
    try {
      using lock = Deno.openSync(`${path}/${LOCK_FILE}`, { read: true });
      return !lock.tryLockSync(false);
    } catch {
      return false; // There is no lock, or nobody may look.
    }
  }

  /** Lets another broker have the directory. */
  close(): void {
    this.#lock.close();
  }
}
