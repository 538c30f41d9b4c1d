/** How bad a finding is: `error` keeps the broker from working, `warning` should be seen to. */
export type FindingLevel = "ok" | "note" | "warning" | "error";

/** One thing that was looked at. */
export interface Finding {
  /** What kind of thing: "certificate", "port" … */
  readonly about: string;
  readonly level: FindingLevel;
  /** What is, for people. */
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** Findings about one kind of thing. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #about: string;

  constructor(about: string) {
    this.#about = about;
  }

  /** It is as it should be. */
  ok(text: string): void {
    this.all.push({ about: this.#about, level: "ok", text });
  }

  /** It need not be seen to, but known; or it could not be looked at. */
  note(text: string, fix?: string): void {
    this.#add("note", text, fix);
  }

  /** It works, and should be seen to. */
  warning(text: string, fix?: string): void {
    this.#add("warning", text, fix);
  }

  /** It keeps the broker from starting, or from being safe. */
  error(text: string, fix?: string): void {
    this.#add("error", text, fix);
  }

  #add(level: FindingLevel, text: string, fix: string | undefined): void {
    this.all.push({ about: this.#about, level, text, ...(fix !== undefined && { fix }) });
  }
}

/** Why something cannot be looked at, for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "this program may not look there";
  return error instanceof Error ? error.message : String(error);
}
