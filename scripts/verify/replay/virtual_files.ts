/** Files that are opened when a rig says so, with what stands in them then. */

/**
 * Stands in for `Deno.stat` and `Deno.open` while `during` runs, and for `Deno.readTextFile`, which waits
 * for nobody.
 */
export class VirtualFiles {
  readonly #texts = new Map<string, string>();
  #opening: { readonly path: string; readonly resolve: (file: Deno.FsFile) => void } | null = null;

  /** The file that somebody waits for; null for none. */
  get opening(): string | null {
    return this.#opening?.path ?? null;
  }

  /** Puts a text in the place of a file. */
  write(path: string, text: string): void {
    this.#texts.set(path, text);
  }

  /** The file that somebody waits for is read as it is now. */
  open(): void {
    const opening = this.#opening;
    if (opening === null) throw new Error("Cannot open: nobody waits for a file");
    this.#opening = null;
    opening.resolve(fileOf(this.#texts.get(opening.path)!));
  }

  async during<T>(act: () => Promise<T>): Promise<T> {
    const { stat, open, readTextFile } = Deno;
    Object.assign(Deno, {
      stat: (path: string) => fileOf(this.#texts.get(path)!).stat(),
      readTextFile: (path: string) => this.#read(path),
      open: (path: string) =>
        new Promise<Deno.FsFile>((resolve) => this.#opening = { path, resolve }),
    });
    try {
      return await act();
    } finally {
      Object.assign(Deno, { stat, open, readTextFile });
    }
  }

  #read(path: string): Promise<string> {
    const text = this.#texts.get(path);
    if (text === undefined) return Promise.reject(new Deno.errors.NotFound(path));
    return Promise.resolve(text);
  }
}

function fileOf(text: string): Deno.FsFile {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const file = {
    stat: () => Promise.resolve({ isFile: true, isDirectory: false, size: bytes.length }),
    read(target: Uint8Array): Promise<number | null> {
      const part = bytes.subarray(at, at + target.length);
      at += part.length;
      target.set(part);
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
    [Symbol.dispose]: () => {},
  };
  return file as unknown as Deno.FsFile;
}
