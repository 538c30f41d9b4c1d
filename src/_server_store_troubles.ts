/** Whether the store takes what it is given, for the log. */
import type { Log } from "./system/mod.ts";

/** Tells when it begins to refuse, and when it has recovered. */
export class StoreTroubles {
  #trouble: string | null = null;

  /** To be called now and then, with why nothing can be written at present. */
  look(trouble: string | null, log: Log): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const about = { room: "store" } as const;
    if (trouble === null) {
      log.line("warn", "store recovered: acknowledgements leave again", about);
    } else {
      log.line("error", `store in trouble: acknowledgements wait: ${trouble}`, about);
    }
  }
}
