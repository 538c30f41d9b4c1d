/** The bans of a broker: in force at once, and in a file of its data directory over restarts. */
import { type Ban, BanList, formatBans, parseBans } from "./security/mod.ts";
import { replaceFile } from "./system/mod.ts";

const FILE = "bans.json";

/** Reads the bans that hold, or says why the broker must not start. */
export async function readBans(
  dataDir: string,
  wallMs: number,
): Promise<BanList | { problem: string }> {
  const path = `${dataDir}/${FILE}`;
  const list = new BanList();
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return list;
    return { problem: `bans in ${path}: ${reasonOf(error)}` };
  }
  const bans = parseBans(text);
  if ("problem" in bans) {
    return { problem: `bans in ${path}: ${bans.problem}; without this file nobody is banned` };
  }
  for (const ban of bans) {
    const full = list.add(ban);
    if (full !== null) return { problem: `bans in ${path}: ${full.problem}` };
  }
  list.expire(wallMs);
  return list;
}

/** What has been done may not survive the broker, for this reason; null if it does. */
export interface BanChange {
  readonly notKept: string | null;
}

/** Changes the bans, and keeps them in the data directory, which must be ours. */
export class BanFile {
  readonly list: BanList;
  readonly #path: string;
  /** Each waits for the one before. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(list: BanList, dataDir: string) {
    this.list = list;
    this.#path = `${dataDir}/${FILE}`;
  }

  /** A ban holds from now on; or why it cannot. Resolves when it is kept. */
  async add(ban: Ban): Promise<BanChange | { readonly problem: string }> {
    return this.list.add(ban) ?? await this.#write();
  }

  /** A ban holds no more; undefined where there was none. Resolves when that is kept. */
  async remove(id: string): Promise<BanChange | undefined> {
    return this.list.remove(id) === undefined ? undefined : await this.#write();
  }

  #write(): Promise<BanChange> {
    const written = this.#writing.then(async (): Promise<BanChange> => {
      try {
        await replaceFile(this.#path, formatBans(this.list.values()));
        return { notKept: null };
      } catch (error) {
        return { notKept: reasonOf(error) };
      }
    });
    this.#writing = written;
    return written;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
