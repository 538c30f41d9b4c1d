/** Password and access files for tests. */
import { hashPassword, withUsers } from "../../src/security/mod.ts";

/** A password file with these users and passwords; its hashes are cheap. */
export async function passwordFileText(users: Readonly<Record<string, string>>): Promise<string> {
  const hashes = await Promise.all(
    Object.entries(users).map(async ([name, password]) =>
      [name, await hashPassword(encode(password), { scheme: "sha256" })] as const
    ),
  );
  return withUsers("", new Map(hashes));
}

/** Paths of files in a directory of their own, which is removed at the end. */
export class SecurityFiles implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<SecurityFiles> {
    return new SecurityFiles(await Deno.makeTempDir({ prefix: "relayq-test-" }));
  }

  /** Writes the password file; gives its path. */
  async passwords(users: Readonly<Record<string, string>>): Promise<string> {
    return await this.#write("passwords", await passwordFileText(users));
  }

  /** Writes the access file; gives its path. */
  async access(text: string): Promise<string> {
    return await this.#write("access", text);
  }

  /** Writes the pin file; gives its path. */
  async pins(text: string): Promise<string> {
    return await this.#write("pins", text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }

  /** All of it at once: a watch must not see the file between its old text and its new one. */
  async #write(name: string, text: string): Promise<string> {
    const path = `${this.directory}/${name}`;
    await Deno.writeTextFile(`${path}.next`, text);
    await Deno.rename(`${path}.next`, path);
    return path;
  }
}

/** A password as it is sent. */
export function encode(password: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(password);
}
