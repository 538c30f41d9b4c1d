/** Whether the store takes what it is given, for the log. */
import type { AuditTrail } from "./_server_audit.ts";
import { type QuarantineReport, quarantineText } from "./store/mod.ts";
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

/** Tells that a damaged database was set aside. */
export function tellQuarantine(
  report: QuarantineReport,
  { log, trail }: { log: Log; trail: AuditTrail },
): void {
  for (const line of quarantineText(report)) log.line("error", line, { room: "store" });
  const { movedTo: file, reason } = report;
  trail.record({ event: "store-quarantine", file, reason });
}
